import type { FastifyReply } from 'fastify';

/** Aborts when the call is over: answered, or its caller gone. */
export function callSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}

/** Aborts when the caller goes before the answer; for calls that end by themselves, since aborting is not cheap. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
