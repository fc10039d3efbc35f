import { createServer } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Secret } from '#lib/runtime';
import { Agent, fetch as undiciFetch } from 'undici';
import { v7 as uuid } from 'uuid';
import {
  createCertificateAuthority,
  type CertificateAuthority,
  type CertifiedKey,
} from '../../../../test/support/certificates.js';
import { freeConsecutivePorts } from '../../../../test/support/rabbitmq-ports.js';
import { RulesHouse, type RulesHouseOptions } from '../../../../test/support/rules-house.js';
import { NotificationListener } from './notification-listener.js';

/** Notifications over the connections that they come by: straight, through a proxy, and to a listener of their own. */

jest.setTimeout(120_000);

const path = '/v1/ciba/notifications';
let authority: CertificateAuthority;
let server: CertifiedKey;
let client: CertifiedKey;
let stranger: CertifiedKey;
const houses: RulesHouse[] = [];

beforeAll(async () => {
  authority = await createCertificateAuthority('Authority of this test');
  server = await authority.issue({ commonName: 'Assent', names: [{ type: 'ip', value: '127.0.0.1' }] });
  client = await authority.issue({ commonName: 'Token provider' });
  stranger = await (await createCertificateAuthority('Authority of strangers')).issue({ commonName: 'Stranger' });
});
afterAll(() => Promise.all(houses.map((house) => house.close())), 60_000);

async function open(options: RulesHouseOptions): Promise<RulesHouse> {
  const house = await RulesHouse.open(options);
  houses.push(house);
  return house;
}

/** A request whose start call is under way, and its notification token. */
async function started(house: RulesHouse): Promise<{ readonly id: string; readonly token: string }> {
  const id = await house.request(await house.rule({ deliveryMode: 'ping' }));
  const token = house.database.requests.issueNotificationToken();
  const call = { requestId: id, attemptId: uuid(), instanceId: 'test', callTimeoutMs: 10_000, cause: null };
  expect(await house.database.requests.openAttempt({ ...call, notificationToken: token })).toMatchObject({
    kind: 'opened',
  });
  return { id, token };
}

interface Call {
  readonly token: string;
  readonly headers?: Record<string, string>;
  readonly tls?: { readonly cert?: string; readonly key?: string; readonly ca?: string };
}

async function tell(base: string, { token, headers = {}, tls = {} }: Call): Promise<{ status: number; code?: string }> {
  const dispatcher = new Agent({ connect: { ca: authority.certificatePem, ...tls } });
  try {
    const answer = await undiciFetch(`${base}${path}`, {
      method: 'POST',
      dispatcher,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ auth_req_id: `of ${token}` }),
    });
    const text = await answer.text();
    return { status: answer.status, ...(text !== '' && { code: (JSON.parse(text) as { code: string }).code }) };
  } finally {
    await dispatcher.close();
  }
}

const statusOf = async (house: RulesHouse, id: string): Promise<string> =>
  (await house.query<{ status: string }>('select status from authorization_requests where id = $1', [id]))[0]!.status;

describe('without TLS (R10)', () => {
  it('a notification is refused, fitting bearer or not, and nothing is stored', async () => {
    const house = await open({ allowLoopback: false });
    const { id, token } = await started(house);
    const refused = { status: 403, code: 'insecure_transport' };
    expect(await tell(house.url, { token })).toEqual(refused);
    expect(await tell(house.url, { token, headers: { 'x-forwarded-proto': 'https' } })).toEqual(refused);
    expect(await tell(house.url, { token, headers: { forwarded: 'proto=https' } })).toEqual(refused);
    expect(await tell(house.url, { token: 'unknown' })).toEqual(refused);
    expect(await statusOf(house, id)).toBe('requested');
  });

  it('a proxy that is trusted says how the notification came to it', async () => {
    const house = await open({ allowLoopback: false, trustedProxies: ['127.0.0.0/8'] });
    const { id, token } = await started(house);
    expect(await tell(house.url, { token, headers: { 'x-forwarded-proto': 'http' } })).toMatchObject({ status: 403 });
    expect(await tell(house.url, { token })).toMatchObject({ status: 403 });
    expect(await statusOf(house, id)).toBe('requested');
    expect(await tell(house.url, { token, headers: { 'x-forwarded-proto': 'https' } })).toEqual({ status: 204 });
    expect(await statusOf(house, id)).toBe('pending');
  });
});

describe('strangers that call without end (R81)', () => {
  it('have to wait, one source for itself; a fitting bearer from among them is heard', async () => {
    const house = await open({ trustedProxies: ['127.0.0.0/8'] });
    const from = (source: string) => ({ 'x-forwarded-proto': 'https', 'x-forwarded-for': source });
    const { id, token } = await started(house);
    const seen = new Set<number>();
    // The allowance fills up meanwhile: a slow machine takes more calls to use it up.
    for (let flood = 0; flood < 20 && !seen.has(429); flood++) {
      const calls = Array.from({ length: 150 }, () =>
        tell(house.url, { token: 'made-up', headers: from('198.51.100.1') }),
      );
      for (const { status } of await Promise.all(calls)) seen.add(status);
    }
    expect(seen).toEqual(new Set([401, 429]));
    expect(await tell(house.url, { token: 'made-up', headers: from('198.51.100.2') })).toMatchObject({ status: 401 });
    expect(await tell(house.url, { token, headers: from('198.51.100.1') })).toEqual({ status: 204 });
    expect(await statusOf(house, id)).toBe('pending');
  });
});

describe('a listener of its own (R10)', () => {
  let house: RulesHouse;
  let own: string;

  beforeAll(async () => {
    const port = await freeConsecutivePorts(1);
    own = `https://127.0.0.1:${port}`;
    house = await open({
      allowLoopback: false,
      notificationListener: {
        HOST: '127.0.0.1',
        ASSENT_NOTIFICATION_PORT: port,
        ASSENT_NOTIFICATION_TLS_CERTIFICATE: server.certificatePem,
        ASSENT_NOTIFICATION_TLS_KEY: new Secret(server.privateKeyPem),
        ASSENT_NOTIFICATION_CLIENT_CA: authority.certificatePem,
      },
    });
  }, 60_000);

  const provider = () => ({ cert: client.certificatePem, key: client.privateKeyPem });

  it('takes a notification over TLS that ends in it', async () => {
    const { id, token } = await started(house);
    expect(await tell(own, { token, tls: provider() })).toEqual({ status: 204 });
    expect(await statusOf(house, id)).toBe('pending');
    expect(await tell(own, { token: 'unknown', tls: provider() })).toEqual({ status: 401, code: 'unauthenticated' });
  });

  it('is the only place for them: the port of the API has none', async () => {
    const { id, token } = await started(house);
    const proxied = { 'x-forwarded-proto': 'https' };
    expect(await tell(house.url, { token, headers: proxied })).toEqual({ status: 404, code: 'not_found' });
    expect(await statusOf(house, id)).toBe('requested');
  });

  it.each([
    '/',
    '/v1/rules',
    '/v1/authorization-requests',
    '/health/live',
    '/metrics',
    '/docs',
    '/.well-known/jwks.json',
    `${path}/`,
    `/${path}`,
    `/v1/ciba/notifications/../../rules`,
    '/v1/ciba/notification%73',
  ])('has nothing else: %s', async (other) => {
    const dispatcher = new Agent({ connect: { ca: authority.certificatePem, ...provider() } });
    const { hostname, port } = new URL(own);
    const answer = await dispatcher.request({
      origin: `https://${hostname}:${port}`,
      path: other,
      method: 'GET',
      headers: { authorization: `Bearer ${house.apiKey}` },
    });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ]);
    await answer.body.dump();
    await dispatcher.close();
  });

  it.each<[string, () => Call['tls']]>([
    ['no certificate', () => ({})],
    ['a certificate of somebody else', () => ({ cert: stranger.certificatePem, key: stranger.privateKeyPem })],
  ])('talks to nobody with %s, if it asks for one (R81)', async (_what, tls) => {
    const { id, token } = await started(house);
    await expect(tell(own, { token, tls: tls() })).rejects.toThrow();
    expect(await statusOf(house, id)).toBe('requested');
  });

  it('does not speak plain http beside TLS', async () => {
    const { token } = await started(house);
    await expect(tell(own.replace('https', 'http'), { token })).rejects.toThrow();
  });
});

describe('a listener of its own behind a proxy', () => {
  it('takes what came over https to the proxy, and ends with the service', async () => {
    const port = await freeConsecutivePorts(1);
    const house = await RulesHouse.open({
      allowLoopback: false,
      trustedProxies: ['127.0.0.1/32'],
      notificationListener: { HOST: '127.0.0.1', ASSENT_NOTIFICATION_PORT: port },
    });
    const base = `http://127.0.0.1:${port}`;
    const { token } = await started(house);
    expect(await tell(base, { token })).toMatchObject({ status: 403 });
    expect(await tell(base, { token, headers: { 'x-forwarded-proto': 'https' } })).toEqual({ status: 204 });
    // A connection that is kept alive and idle does not hold up the end.
    const idle = connectSocket(port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.on('error', () => undefined);
    await house.close();
    idle.destroy();
    await expect(tell(base, { token })).rejects.toThrow();
  });

  it('says which port is taken', async () => {
    const taken = createServer();
    const port = await freeConsecutivePorts(1);
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const house = await RulesHouse.open({ notificationListener: { HOST: '127.0.0.1' } });
    houses.push(house);
    Object.assign(house.parts.config, { ASSENT_NOTIFICATION_PORT: port });
    await expect(house.startService()).rejects.toThrow(/ASSENT_NOTIFICATION_PORT/);
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('settings that do not fit each other', () => {
  const make = (config: ConstructorParameters<typeof NotificationListener>[1]) =>
    new NotificationListener(undefined as never, config);
  const port = 8443;

  it.each<[string, () => Parameters<typeof make>[0], RegExp]>([
    [
      'TLS without a port',
      () => ({ ASSENT_NOTIFICATION_TLS_CERTIFICATE: 'x' }),
      /ASSENT_NOTIFICATION_PORT: is not set/,
    ],
    [
      'authorities without a port',
      () => ({ ASSENT_NOTIFICATION_CLIENT_CA: 'x' }),
      /ASSENT_NOTIFICATION_PORT: is not set/,
    ],
    [
      'a certificate without a key',
      () => ({ ASSENT_NOTIFICATION_PORT: port, ASSENT_NOTIFICATION_TLS_CERTIFICATE: server.certificatePem }),
      /ASSENT_NOTIFICATION_TLS_KEY: is not set/,
    ],
    [
      'a key without a certificate',
      () => ({ ASSENT_NOTIFICATION_PORT: port, ASSENT_NOTIFICATION_TLS_KEY: new Secret(server.privateKeyPem) }),
      /ASSENT_NOTIFICATION_TLS_CERTIFICATE: is not set/,
    ],
    [
      'authorities without a certificate',
      () => ({ ASSENT_NOTIFICATION_PORT: port, ASSENT_NOTIFICATION_CLIENT_CA: authority.certificatePem }),
      /ASSENT_NOTIFICATION_CLIENT_CA: needs/,
    ],
    [
      'a key that belongs to another certificate',
      () => ({
        ASSENT_NOTIFICATION_PORT: port,
        ASSENT_NOTIFICATION_TLS_CERTIFICATE: server.certificatePem,
        ASSENT_NOTIFICATION_TLS_KEY: new Secret(client.privateKeyPem),
      }),
      /cannot be used/,
    ],
    [
      'authorities that are none',
      () => ({
        ASSENT_NOTIFICATION_PORT: port,
        ASSENT_NOTIFICATION_TLS_CERTIFICATE: server.certificatePem,
        ASSENT_NOTIFICATION_TLS_KEY: new Secret(server.privateKeyPem),
        ASSENT_NOTIFICATION_CLIENT_CA: 'rubbish',
      }),
      /ASSENT_NOTIFICATION_CLIENT_CA: holds no certificate/,
    ],
  ])('%s', (_what, config, message) => {
    expect(() => make(config())).toThrow(message);
    // Nobody reads a key in a message.
    expect(() => make(config())).not.toThrow(/PRIVATE KEY/);
  });
});
