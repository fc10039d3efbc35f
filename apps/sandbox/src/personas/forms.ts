import type { IncomingMessage } from 'node:http';

const maximumBytes = 64 * 1024;

/** The form in the request's body; null when it is none, or too large. */
export async function readForm(req: IncomingMessage): Promise<URLSearchParams | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maximumBytes) chunks.push(chunk);
  }
  const isForm = req.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return isForm && bytes <= maximumBytes ? new URLSearchParams(Buffer.concat(chunks).toString('utf8')) : null;
}

/** The parameters by name; null when one comes twice (CIBA Core 1.0 §7.1). */
export function singleValues(form: URLSearchParams): ReadonlyMap<string, string> | null {
  const values = new Map(form);
  return values.size === [...form].length ? values : null;
}
