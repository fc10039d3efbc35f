import { ProblemError } from '#lib/runtime';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseJsonBody } from './json-body.js';

const jsonTypes = ['application/json', 'application/merge-patch+json'];

/** Routes whose bodies are small by nature, in bytes. */
const bodyLimits: Readonly<Record<string, number>> = { '/v1/ciba/notifications': 4096 };

/** What holds for every route alike: JSON is the only kind of body, answers are not cached, nothing is sniffed. */
@Injectable()
export class HttpSurface implements OnModuleInit {
  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.removeAllContentTypeParsers();
    server.addContentTypeParser(jsonTypes, { parseAs: 'string' }, (request, text, done) => {
      try {
        refuseOversized(request, text as string);
        done(null, parseJsonBody(text as string));
      } catch (error) {
        done(error as Error);
      }
    });
    server.addHook('onRequest', (_request, reply, done) => {
      void reply.headers({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
      done();
    });
  }
}

function refuseOversized(request: FastifyRequest, text: string): void {
  const limit = bodyLimits[request.routeOptions.url ?? ''];
  if (limit !== undefined && Buffer.byteLength(text) > limit) {
    throw new ProblemError('body_too_large', `This route takes bodies of at most ${limit} bytes.`);
  }
}
