import { ProblemError } from '#lib/runtime';
import { Controller, Post } from '@nestjs/common';

/**
 * Where token providers tell that an answer is there (CIBA Core 1.0 §10.2). No rule is delivered by ping or push yet, so
 * no notification token was ever given out, and none fits.
 */
@Controller('v1/ciba/notifications')
export class NotificationsController {
  /** @throws ProblemError `unauthenticated` */
  @Post()
  notify(): never {
    throw new ProblemError('unauthenticated', 'This notification token belongs to no authorization request.', {
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  }
}
