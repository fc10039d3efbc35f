import type { FastifyReply } from 'fastify';

/** Aborts when the call is over: answered, or its caller gone. */
export function callSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}
