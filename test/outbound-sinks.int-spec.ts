import { readFileSync } from 'node:fs';
import { createServer, isIP, type AddressInfo, type LookupFunction, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { CibaClient, type ClientRegistration, type EvidenceExpectation, type StartRequest } from '#lib/ciba';
import { createOutboundGuard } from '#lib/runtime';
import { CallbackSender } from '../apps/decision-service/src/callbacks/send.js';

/**
 * Every place that calls an address which somebody else has written, with every spelling of our own network: not one
 * connection is opened. The resolver of this test leads every name to this machine.
 */
const { spellings, names } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'support/outbound-addresses.json'), 'utf8'),
) as {
  readonly spellings: readonly { readonly url: string }[];
  readonly names: readonly { readonly host: string }[];
};

const tripwires: Server[] = [];
let connections = 0;
let port = 0;
let sender: CallbackSender;
let client: CibaClient;

const lookup: LookupFunction = (_host, { all }, callback) => {
  if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', isIP('127.0.0.1'));
};

beforeAll(async () => {
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    }).then(
      () => tripwires.push(server),
      // A machine without IPv6 cannot be reached over it.
      (error: { code?: string }) => {
        if (host === '127.0.0.1' || error.code !== 'EADDRNOTAVAIL') throw error;
      },
    );
    port = (tripwires[0]!.address() as AddressInfo).port;
  }
  const guard = createOutboundGuard({ allowLoopback: false, allowedNetworks: [], lookup });
  sender = new CallbackSender({ guard, deadlineMs: 5_000 });
  client = new CibaClient({ connect: (tls) => guard.connector(tls), allowInsecureHttp: true, timeoutMs: 5_000 });
});

afterAll(async () => {
  await sender.close();
  await client.close();
  await Promise.all(tripwires.map((server) => new Promise((resolve) => server.close(resolve))));
});

let number = 0;
/** A provider that says that everything is at this address. */
const at = (url: string, metadata: boolean): ClientRegistration => ({
  key: `rule-${++number}`,
  clientId: 'client',
  credentials: { type: 'secret', clientSecret: 'secret', method: 'client_secret_post' },
  provider: {
    id: `provider-${number}`,
    issuer: metadata ? 'https://op.example' : url,
    metadata: metadata
      ? {
          issuer: 'https://op.example',
          backchannel_authentication_endpoint: url,
          token_endpoint: url,
          revocation_endpoint: url,
          jwks_uri: url,
          backchannel_token_delivery_modes_supported: ['poll'],
        }
      : null,
    trustedCertificates: [],
    profile: 'generic',
  },
});
const start: StartRequest = {
  scope: 'openid',
  loginHint: 'alice',
  bindingMessage: null,
  requestedExpirySeconds: null,
  acrValues: [],
  authorizationDetails: null,
  userCode: null,
  clientNotificationToken: null,
};
const idToken = [{ alg: 'ES256', kid: 'k' }, { iss: 'https://op.example' }, {}]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.');
const answer = {
  accessToken: 'a',
  tokenType: 'Bearer',
  expiresInSeconds: 1,
  scope: null,
  idToken,
  refreshToken: null,
  authorizationDetails: null,
};

const sinks: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  'callback and webhook': (url) => sender.send(url, {}, '{}'),
  'issuer and discovery': (url) => client.discover(at(url, false).provider),
  'backchannel endpoint': (url) => client.start(at(url, true), start),
  'token endpoint': (url) => client.poll(at(url, true), 'auth-req-id'),
  'revocation endpoint': (url) => client.revoke(at(url, true), answer, null),
  jwks_uri: (url) => client.verify(at(url, true), answer, {} as EvidenceExpectation, new Date()),
};

it.each(Object.keys(sinks))('%s: no spelling and no name opens a connection to this machine', async (sink) => {
  const urls = [
    ...spellings.map(({ url }) => url.replaceAll('PORT', String(port))),
    ...names.map(({ host }) => `https://${host}:${port}/`),
  ];
  expect(urls.length).toBeGreaterThanOrEqual(150);
  // However it says no, it says it without a connection.
  await Promise.all(urls.map((url) => sinks[sink]!(url).catch(() => undefined)));
  expect(connections).toBe(0);
});

it('would see a connection', async () => {
  const open = createOutboundGuard({ allowLoopback: true, allowedNetworks: [], lookup });
  const careless = new CallbackSender({ guard: open, deadlineMs: 5_000 });
  expect(await careless.send(`http://shop.example:${port}/`, {}, '{}')).toMatchObject({ status: null });
  await careless.close();
  expect(connections).toBeGreaterThan(0);
});
