import { counter, type CallOrigins, type Log } from '#lib/runtime';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CallAllowance } from '../notifications/call-allowance.js';
import { knownCallerOf } from './caller.js';

/** Who was not let in, or not as often: unauthenticated, forbidden, too many calls. */
const refusals: ReadonlySet<number> = new Set([401, 403, 429]);

/** What is known of a call that was refused; nothing in it was written by the caller but the id that correlates it. */
export interface RefusedCall {
  readonly status: number;
  readonly method: string;
  /** The route as the contract writes it. */
  readonly route: string;
  readonly source: string;
  /** Null when nobody knows who called. */
  readonly apiClientId: string | null;
  readonly callId: string;
}

/** Keeps account of calls that were refused: all of them in a metric, and of one source as many in the log as help. */
@Injectable()
export class RefusedCalls implements OnModuleInit {
  constructor(
    private readonly host: Pick<HttpAdapterHost, 'httpAdapter'>,
    private readonly origins: CallOrigins,
    private readonly lines: Pick<CallAllowance, 'spend'>,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onResponse', (request, reply, done) => {
      if (refusals.has(reply.statusCode)) this.note(this.describe(request, reply.statusCode));
      done();
    });
  }

  note({ status, source, ...call }: RefusedCall): void {
    refusedCalls().inc({ status: String(status) });
    // Whoever tries on and on must not fill the log.
    if (this.lines.spend(source) > 0) return;
    this.log.warn('A call was refused', { status, source, ...call });
  }

  private describe(request: FastifyRequest, status: number): RefusedCall {
    const { raw, routeOptions, id } = request;
    const peer = { peer: raw.socket.remoteAddress, encrypted: 'encrypted' in raw.socket, headers: raw.headers };
    return {
      ...{ status, method: request.method, route: routeOptions.url ?? 'none', callId: id },
      source: this.origins.of(peer).source,
      apiClientId: knownCallerOf(request)?.id ?? null,
    };
  }
}

const refusedCalls = () =>
  counter({
    name: 'assent_refused_calls_total',
    help: 'Calls that were not let in (401), not allowed (403) or too many (429), by status.',
    labelNames: ['status'],
  });
