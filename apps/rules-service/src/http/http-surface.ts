import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { notificationsUrl } from '../notifications/notifications-url.js';
import { parseJsonBody } from './json-body.js';

const jsonTypes = ['application/json', 'application/merge-patch+json'];

/** Routes that read their bodies themselves: what strangers send there is judged by rules of its own. */
const rawBodies: ReadonlySet<string> = new Set([notificationsUrl]);

/** For whatever is no page of ours: it loads nothing, runs nothing and is framed nowhere. */
const nothingActive = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What holds for every route alike: JSON is the only kind of body, answers are not cached, nothing is sniffed. */
@Injectable()
export class HttpSurface implements OnModuleInit {
  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.removeAllContentTypeParsers();
    server.addContentTypeParser(jsonTypes, { parseAs: 'string' }, (request, text, done) => {
      try {
        const raw = rawBodies.has(request.routeOptions.url ?? '');
        done(null, raw ? text : parseJsonBody(text as string));
      } catch (error) {
        done(error as Error);
      }
    });
    server.addHook('onRequest', (request, reply, done) => {
      void reply.headers({
        'x-request-id': request.id,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'content-security-policy': nothingActive,
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
      done();
    });
  }
}
