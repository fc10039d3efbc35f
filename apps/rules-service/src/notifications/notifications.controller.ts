import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { notifierOf } from './notification-bearer.js';
import { refuseOversized } from './notification-surface.js';
import { ReceiveNotification } from './receive-notification.js';

/** Where token providers tell that an answer is there (CIBA Core 1.0 §10.2), or push it (§10.3). */
@Controller('v1/ciba/notifications')
export class NotificationsController {
  constructor(private readonly receiveNotification: ReceiveNotification) {}

  /** @throws ProblemError `unauthenticated`, `malformed_body`, `body_too_large` */
  @Post()
  @HttpCode(204)
  async notify(@Req() call: object, @Body() text: unknown): Promise<void> {
    const notifier = notifierOf(call);
    const body = typeof text === 'string' ? text : '';
    refuseOversized(Buffer.byteLength(body), notifier.attempt.deliveryMode);
    await this.receiveNotification.run(notifier, body);
  }
}
