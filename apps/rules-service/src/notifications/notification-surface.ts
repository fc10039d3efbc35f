import type { DeliveryMode } from '#lib/domain';
import { ProblemError } from '#lib/runtime';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { NotificationBearer } from './notification-bearer.js';

/** Where token providers tell that an answer is there. */
export const notificationsUrl = '/v1/ciba/notifications';

/** Largest body in bytes: a ping names one request, a push brings its tokens. */
const bodyLimits: Readonly<Record<DeliveryMode, number>> = { poll: 4096, ping: 4096, push: 65_536 };

/** Looks at a notification's bearer token, and at the length that it announces, before its body is read. */
@Injectable()
export class NotificationSurface implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly bearer: NotificationBearer,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onRequest', async (request) => {
      if (request.routeOptions.url !== notificationsUrl) return;
      const { attempt } = await this.bearer.admit(request, request.headers.authorization);
      refuseOversized(Number(request.headers['content-length'] ?? 0), attempt.deliveryMode);
    });
  }
}

/** @throws ProblemError `body_too_large` */
export function refuseOversized(length: number, deliveryMode: DeliveryMode): void {
  const limit = bodyLimits[deliveryMode];
  if (length > limit) {
    throw new ProblemError('body_too_large', `Such a notification has at most ${limit} bytes.`);
  }
}
