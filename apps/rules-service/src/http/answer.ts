import type { FastifyReply } from 'fastify';

/** What a call is answered with. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Undefined: no body. */
  readonly body?: Body;
}

/** Sets status and headers, and hands back the body for Nest to send. */
export async function respond<Body>(reply: FastifyReply, answer: Answer<Body> | Promise<Answer<Body>>): Promise<Body> {
  const { status, headers = {}, body } = await answer;
  void reply.status(status).headers(headers);
  return body as Body;
}
