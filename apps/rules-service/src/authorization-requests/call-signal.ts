import type { FastifyReply } from 'fastify';

/** Aborts when the call is over: answered, or its caller gone. */
export function callSignal(reply: FastifyReply): AbortSignal {
  if (isGone(reply)) return AbortSignal.abort();
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}

/** Aborts when the caller goes before the answer; for calls that end by themselves, since aborting is not cheap. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  if (isGone(reply)) return AbortSignal.abort();
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** Whether the caller went before anybody listened for it, while it was found out who calls: nothing tells of it again. */
const isGone = ({ raw }: FastifyReply): boolean => raw.destroyed;
