import type { ServerResponse } from 'node:http';

/** What goes on the wire. */
export interface Reply {
  /** 200 when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Sent as it is; wins over `json`. */
  readonly body?: string;
  /** Seconds before the first byte. */
  readonly afterSeconds?: number;
  /** Half of the body, and then no connection any more. */
  readonly cut?: true;
  /** Not a byte, ever; the connection stays open. */
  readonly silent?: true;
}

/** An error answer of OAuth. */
export interface Refusal {
  readonly error: string;
  readonly description?: string;
  /** 400 when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** More members of the body. */
  readonly members?: Readonly<Record<string, unknown>>;
}

export const refuse = (error: string, description?: string, status?: number): Refusal => ({
  error,
  ...(description !== undefined && { description }),
  ...(status !== undefined && { status }),
});

/** The answer that carries a refusal. */
export const replyOf = ({ error, description, status = 400, headers = {}, members = {} }: Refusal): Reply => ({
  status,
  headers,
  json: { error, ...(description !== undefined && { error_description: description }), ...members },
});

/** Writes the answer; resolves when nothing more is to be written. */
export async function sendReply(res: ServerResponse, reply: Reply): Promise<void> {
  if (reply.afterSeconds !== undefined) await afterOrClosed(res, reply.afterSeconds * 1000);
  if (reply.silent || res.destroyed) return;
  const body = Buffer.from(reply.body ?? JSON.stringify(reply.json ?? {}));
  res.writeHead(reply.status ?? 200, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-length': body.length,
    ...reply.headers,
  });
  if (!reply.cut) return void res.end(body);
  res.write(body.subarray(0, body.length / 2), () => res.destroy());
}

function afterOrClosed(res: ServerResponse, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      res.off('close', done);
      resolve();
    }
    res.once('close', done);
  });
}
