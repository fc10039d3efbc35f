import type { DeliveryMode } from '#lib/domain';
import { ProblemError } from '#lib/runtime';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { NotificationBearer } from './notification-bearer.js';
import { NotificationListener } from './notification-listener.js';
import { NotificationTransport } from './notification-transport.js';
import { notificationsUrl } from './notifications-url.js';

/** Largest body in bytes: a ping names one request, a push brings its tokens. */
const bodyLimits: Readonly<Record<DeliveryMode, number>> = { poll: 4096, ping: 4096, push: 65_536 };

/**
 * What is looked at before the body of a notification is read, in this order: the listener that it came to, the
 * transport, the bearer token, and the length that it announces.
 */
@Injectable()
export class NotificationSurface implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly listener: NotificationListener,
    private readonly transport: NotificationTransport,
    private readonly bearer: NotificationBearer,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.url !== notificationsUrl) return;
      this.listener.refuseElsewhere(request.raw);
      const source = this.transport.sourceOf(request.raw);
      const { attempt, rateLimit } = await this.bearer.admit(request, request.headers.authorization, source);
      void reply.headers(rateLimit);
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
