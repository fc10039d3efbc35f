import { randomUUID } from 'node:crypto';
import { Pool, type Dispatcher } from 'undici';
import { serve } from '../harness/serve.js';

/** The cheapest way to poll that Node has: one dispatch after the other, no schedule, no rights, no outcome. */
export interface PollsLimit {
  readonly issuer: string;
  readonly inFlight: number;
  readonly requests: number;
}

const headers = [
  ['content-type', 'application/x-www-form-urlencoded'],
  ['accept', 'application/json'],
  ['authorization', `Basic ${Buffer.from('bench-client:a+secret+of+the+benchmark').toString('base64')}`],
].flat();

let pool: Pool;
let bodies: readonly string[] = [];
let inFlight = 0;

function start(config: PollsLimit): void {
  inFlight = config.inFlight;
  pool = new Pool(config.issuer, { connections: inFlight, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  bodies = Array.from(
    { length: config.requests },
    () => `grant_type=urn%3Aopenid%3Aparams%3Agrant-type%3Aciba&auth_req_id=${randomUUID()}`,
  );
}

/** Polls for so many seconds; answers how often. */
async function poll(seconds: number): Promise<number> {
  const endAt = performance.now() + seconds * 1000;
  let polls = 0;
  let next = 0;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const chunks: Buffer[] = [];
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: () => undefined,
        onResponseStart: () => undefined,
        onResponseData: (_, chunk) => void chunks.push(chunk),
        onResponseEnd: () => {
          const { error } = JSON.parse(Buffer.concat(chunks).toString()) as { error: string };
          if (error === 'authorization_pending') resolve();
          else reject(new Error(error));
        },
        onResponseError: (_, error) => reject(error),
      };
      pool.dispatch({ path: '/token', method: 'POST', headers, body: bodies[next++ % bodies.length]! }, handler);
    });
  const worker = async () => {
    while (performance.now() < endAt) {
      await one();
      polls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return polls;
}

serve({ start, poll });
