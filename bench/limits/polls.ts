import { createPrivateKey, randomUUID, sign, type KeyObject } from 'node:crypto';
import { Pool, type Dispatcher } from 'undici';
import { serve } from '../harness/serve.js';

/** The cheapest way to poll that Node has: one dispatch after the other, no schedule, no rights, no outcome. */
export interface PollsLimit {
  readonly issuer: string;
  readonly inFlight: number;
  readonly requests: number;
  /** A secret unless given. */
  readonly client?: PollingClient;
}

/** How whoever polls proves who it is; keys and certificates in PEM. */
export type PollingClient =
  | { readonly type: 'secret' }
  | { readonly type: 'private-key-jwt'; readonly kid: string; readonly privateKeyPem: string }
  | {
      readonly type: 'mutual-tls';
      readonly certificatePem: string;
      readonly privateKeyPem: string;
      readonly ca: string;
    };

const basic = `Basic ${Buffer.from('bench-client:a+secret+of+the+benchmark').toString('base64')}`;
const constantHeaders = ['content-type', 'application/x-www-form-urlencoded', 'accept', 'application/json'];
const assertionType = encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');

let headers = constantHeaders;
/** What authenticates each poll, as the rest of its form. */
let authentication: () => string = () => '';

function authenticate({ issuer, client = { type: 'secret' } }: PollsLimit): void {
  switch (client.type) {
    case 'secret':
      headers = [...constantHeaders, 'authorization', basic];
      break;
    case 'mutual-tls':
      authentication = () => '&client_id=bench-client';
      break;
    case 'private-key-jwt': {
      const key = createPrivateKey(client.privateKeyPem);
      const { kid } = client;
      authentication = () =>
        `&client_id=bench-client&client_assertion_type=${assertionType}&client_assertion=${assertion(key, kid, issuer)}`;
    }
  }
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function assertion(key: KeyObject, kid: string, aud: string): string {
  const iat = Math.floor(Date.now() / 1000);
  const client = 'bench-client';
  const claims = { jti: randomUUID(), iss: client, sub: client, aud, iat, nbf: iat, exp: iat + 60 };
  const signed = `${part({ alg: 'ES256', kid })}.${part(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

let pool: Pool;
let bodies: readonly string[] = [];
let inFlight = 0;

function start(config: PollsLimit): void {
  inFlight = config.inFlight;
  authenticate(config);
  const { client } = config;
  const tls = client?.type === 'mutual-tls' && {
    connect: { cert: client.certificatePem, key: client.privateKeyPem, ca: client.ca },
  };
  pool = new Pool(config.issuer, { connections: inFlight, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, ...tls });
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
      const body = bodies[next++ % bodies.length]! + authentication();
      pool.dispatch({ path: '/token', method: 'POST', headers, body }, handler);
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
