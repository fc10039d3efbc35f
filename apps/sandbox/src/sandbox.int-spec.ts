import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JSONWebKeySet,
} from 'jose';
import { Agent, fetch as fetchThrough, type Dispatcher } from 'undici';
import { freeConsecutivePorts } from '../../../test/support/rabbitmq-ports.js';
import { CIBA_GRANT_TYPE } from './clients.js';
import { startSandbox, type Sandbox, type SecretClient } from './sandbox.module.js';

type Json = Record<string, unknown>;

interface Answer {
  readonly status: number;
  readonly body: Json;
}

/** How one client proves who it is: parameters, headers, a connection; and where it calls. */
interface Caller {
  readonly clientId: string;
  readonly url: string;
  readonly dispatcher?: Dispatcher;
  readonly headers?: Record<string, string>;
  params?(): Promise<Record<string, string>>;
}

interface PhoneEntry {
  readonly id: string;
  readonly bindingMessage: string | null;
}

let sandbox: Sandbox;
let signingKey: CryptoKey;
let printed: unknown[];
let pings: { authorization: string | undefined; body: Json }[];
let pinged: () => void;
let assent: Server;
const consoleMethods = ['log', 'info', 'warn', 'error'] as const;
const realConsole = { ...console };
const agents: Agent[] = [];

beforeAll(async () => {
  printed = [];
  for (const method of consoleMethods) console[method] = (...words: unknown[]) => void printed.push(words);
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  signingKey = privateKey;
  const port = await freeConsecutivePorts(3);
  pings = [];
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  assent = createServer((req, res) => {
    if (req.url === '/.well-known/jwks.json') {
      res.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(JSON.stringify({ keys: [jwk] }));
      return;
    }
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      pings.push({
        authorization: req.headers.authorization,
        body: JSON.parse(Buffer.concat(chunks).toString()) as Json,
      });
      res.writeHead(204).end();
      pinged();
    });
  }).listen(port + 2, '127.0.0.1');
  await once(assent, 'listening');
  sandbox = await startSandbox({
    port,
    assentUrl: `http://127.0.0.1:${port + 2}`,
    assentApiKey: null,
    intervalSeconds: 1,
  });
});

afterAll(async () => {
  Object.assign(console, realConsole);
  await Promise.all(agents.map((agent) => agent.close()));
  await sandbox.stop();
  assent.close();
});

const withBasic = ({ clientId, clientSecret }: SecretClient): Caller => ({
  clientId,
  url: sandbox.url,
  headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
});

const withPost = ({ clientId, clientSecret }: SecretClient): Caller => ({
  clientId,
  url: sandbox.url,
  params: async () => ({ client_id: clientId, client_secret: clientSecret }),
});

function withCertificate(clientId: string, cert: string, key: string): Caller {
  const dispatcher = new Agent({ connect: { ca: sandbox.mtls.caCertificatePem, cert, key } });
  agents.push(dispatcher);
  return { clientId, url: sandbox.mtls.url, dispatcher, params: async () => ({ client_id: clientId }) };
}

const withAssertion = (clientId: string): Caller => ({
  clientId,
  url: sandbox.url,
  params: async () => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(sandbox.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(signingKey),
  }),
});

async function post(caller: Caller, path: string, params: Record<string, string>): Promise<Answer> {
  const answer = await fetchThrough(`${caller.url}${path}`, {
    method: 'POST',
    headers: { ...caller.headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...params, ...(await caller.params?.()) }).toString(),
    dispatcher: caller.dispatcher,
  });
  return { status: answer.status, body: (await answer.json()) as Json };
}

function ask(caller: Caller, params: Record<string, string> = {}): Promise<Answer> {
  return post(caller, '/backchannel', { scope: 'openid payments', login_hint: 'alice@example.com', ...params });
}

function poll(caller: Caller, started: Answer): Promise<Answer> {
  return post(caller, '/token', { grant_type: CIBA_GRANT_TYPE, auth_req_id: String(started.body.auth_req_id) });
}

async function onPhone(bindingMessage: string, loginHint = 'alice@example.com'): Promise<PhoneEntry> {
  const answer = await fetch(`${sandbox.phoneUrl}/requests?loginHint=${encodeURIComponent(loginHint)}`);
  const entry = ((await answer.json()) as PhoneEntry[]).find((listed) => listed.bindingMessage === bindingMessage);
  if (!entry) throw new Error(`${bindingMessage} is not on the phone`);
  return entry;
}

function tap(id: string, button: 'approve' | 'deny', headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${sandbox.phoneUrl}/requests/${id}/${button}`, { method: 'POST', headers });
}

describe('discovery', () => {
  it('names the issuer, CIBA with both ways of delivery, and the mTLS endpoints', async () => {
    const answer = await fetch(`${sandbox.url}/.well-known/openid-configuration`);
    expect(await answer.json()).toMatchObject({
      issuer: sandbox.url,
      backchannel_authentication_endpoint: `${sandbox.url}/backchannel`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      mtls_endpoint_aliases: {
        token_endpoint: `${sandbox.mtls.url}/token`,
        backchannel_authentication_endpoint: `${sandbox.mtls.url}/backchannel`,
      },
    });
  });

  it('describes the clients and the certificates for scripts', async () => {
    const answer = await fetch(`${sandbox.url}/sandbox.json`);
    expect(await answer.json()).toMatchObject({ clients: sandbox.clients, mtls: sandbox.mtls });
    const file = (name: string) => fetch(`${sandbox.url}/certificates/${name}`);
    expect(await (await file('authority.pem')).text()).toBe(sandbox.mtls.caCertificatePem);
    expect(await (await file('client-key.pem')).text()).toBe(sandbox.mtls.clientPrivateKeyPem);
    expect((await file('constructor')).status).toBe(404);
  });
});

describe('the whole flow', () => {
  const callers: [string, () => Caller][] = [
    ['client_secret_basic', () => withBasic(sandbox.clients.secretBasic)],
    ['client_secret_post', () => withPost(sandbox.clients.secretPost)],
    [
      'tls_client_auth',
      () =>
        withCertificate(
          sandbox.clients.tlsClientAuth.clientId,
          sandbox.mtls.clientCertificatePem,
          sandbox.mtls.clientPrivateKeyPem,
        ),
    ],
    [
      'self_signed_tls_client_auth',
      () =>
        withCertificate(
          sandbox.clients.selfSignedTls.clientId,
          sandbox.mtls.selfSignedCertificatePem,
          sandbox.mtls.selfSignedPrivateKeyPem,
        ),
    ],
    ['private_key_jwt', () => withAssertion(sandbox.clients.privateKeyJwt.clientId)],
  ];

  it.each(callers)('ends in verifiable tokens for %s', async (method, createCaller) => {
    const caller = createCaller();
    const started = await ask(caller, { binding_message: method });
    expect(started).toMatchObject({ status: 200, body: { expires_in: 120, interval: 1 } });
    expect(await poll(caller, started)).toMatchObject({ status: 400, body: { error: 'authorization_pending' } });

    const { id } = await onPhone(method);
    expect((await tap(id, 'approve')).status).toBe(204);
    const tokens = await poll(caller, started);

    expect(tokens).toMatchObject({ status: 200, body: { scope: 'openid payments' } });
    const jwks = (await (await fetch(`${sandbox.url}/jwks`)).json()) as JSONWebKeySet;
    const { payload } = await jwtVerify(String(tokens.body.id_token), createLocalJWKSet(jwks), {
      issuer: sandbox.issuer,
      audience: caller.clientId,
      algorithms: ['ES256'],
      maxTokenAge: 60,
    });
    expect(payload).toMatchObject({ sub: 'alice', acr: 'urn:assent:sandbox:phone', amr: ['hwk', 'user'] });
    expect(payload.auth_time).toEqual(expect.any(Number));
    // A grant is single use, as with any provider.
    expect(await poll(caller, started)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('lets nobody in with the other client’s certificate', async () => {
    const { mtls, clients } = sandbox;
    const rogues = [
      withCertificate(clients.tlsClientAuth.clientId, mtls.selfSignedCertificatePem, mtls.selfSignedPrivateKeyPem),
      withCertificate(clients.selfSignedTls.clientId, mtls.clientCertificatePem, mtls.clientPrivateKeyPem),
    ];
    for (const rogue of rogues) {
      expect(await ask(rogue)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    }
  });

  it('says so when the person denies', async () => {
    const caller = withBasic(sandbox.clients.secretBasic);
    const started = await ask(caller, { binding_message: 'denied', login_hint: 'Bob@example.com' });
    const { id } = await onPhone('denied', 'bob@example.com');
    expect((await tap(id, 'deny')).status).toBe(204);
    expect(await poll(caller, started)).toMatchObject({ status: 400, body: { error: 'access_denied' } });
  });

  it('grants the first of the asked acr values that it knows', async () => {
    const caller = withBasic(sandbox.clients.secretBasic);
    const started = await ask(caller, { binding_message: 'acr', acr_values: 'urn:unknown phrh phr' });
    await tap((await onPhone('acr')).id, 'approve');
    const { body } = await poll(caller, started);
    const [, payload = ''] = String(body.id_token).split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ acr: 'phrh' });
  });

  it('pings Assent, when the client wants to be pinged', async () => {
    const caller = withBasic(sandbox.clients.ping);
    const ping = new Promise<void>((resolve) => (pinged = resolve));
    const started = await ask(caller, { binding_message: 'ping', client_notification_token: 'a-token-of-our-own' });
    await tap((await onPhone('ping')).id, 'approve');
    await ping;
    expect(pings).toEqual([
      { authorization: 'Bearer a-token-of-our-own', body: { auth_req_id: started.body.auth_req_id } },
    ]);
    expect((await poll(caller, started)).status).toBe(200);
  });
});

describe('an authentication request', () => {
  it.each([
    ['an unknown person', { login_hint: 'carol@example.com' }, 'unknown_user_id'],
    ['a binding message with a line break', { binding_message: 'one\ntwo' }, 'invalid_binding_message'],
    ['a binding message of 251 characters', { binding_message: 'x'.repeat(251) }, 'invalid_binding_message'],
    ['an expiry that is no number', { requested_expiry: 'soon' }, 'invalid_request'],
  ])('is refused for %s', async (_what, params, error) => {
    expect(await ask(withBasic(sandbox.clients.secretBasic), params)).toMatchObject({ status: 400, body: { error } });
  });

  it('may carry any printable text of 250 characters', async () => {
    const bindingMessage = `Überweise 10 € an “Jörg” 👍 ${'ß'.repeat(250)}`.slice(0, 251);
    expect([...bindingMessage]).toHaveLength(250);
    const caller = withBasic(sandbox.clients.secretBasic);
    expect((await ask(caller, { binding_message: bindingMessage })).status).toBe(200);
    await tap((await onPhone(bindingMessage)).id, 'deny');
  });

  it.each([
    ['45', 45],
    ['600', 600],
    ['100000', 600],
  ])('with requested_expiry %s is valid for %d s', async (requestedExpiry, expiresIn) => {
    const caller = withBasic(sandbox.clients.secretBasic);
    const started = await ask(caller, { login_hint: 'bob@example.com', requested_expiry: requestedExpiry });
    expect(started.body.expires_in).toBe(expiresIn);
  });

  it('expires: off the phone, not to be answered any more, and expired_token for its client', async () => {
    const caller = withBasic(sandbox.clients.secretBasic);
    const started = await ask(caller, { binding_message: 'short-lived', requested_expiry: '1' });
    const { id } = await onPhone('short-lived');
    let answer = await poll(caller, started);
    while (answer.body.error !== 'expired_token') answer = await poll(caller, started);
    await expect(onPhone('short-lived')).rejects.toThrow('not on the phone');
    const late = await tap(id, 'approve');
    expect(late.status).toBe(409);
    expect(late.headers.get('content-type')).toContain('application/problem+json');
    expect(await late.json()).toMatchObject({ status: 409, code: 'expired' });
    expect(await poll(caller, started)).toMatchObject({ status: 400, body: { error: 'expired_token' } });
  });

  it('is slowed down when its client polls before the interval is over', async () => {
    const caller = withBasic(sandbox.clients.secretBasic);
    const started = await ask(caller, { binding_message: 'impatient' });
    expect((await poll(caller, started)).body.error).toBe('authorization_pending');
    expect(await poll(caller, started)).toMatchObject({ status: 400, body: { error: 'slow_down' } });
    await tap((await onPhone('impatient')).id, 'approve');
    expect((await poll(caller, started)).status).toBe(200);
  });
});

describe('the phone for scripts', () => {
  it('lists exactly what the contract says, under ids of its own', async () => {
    const caller = withBasic(sandbox.clients.secretBasic);
    const started = await ask(caller, { binding_message: 'listed' });
    const entry = await onPhone('listed');
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      loginHint: 'alice@example.com',
      bindingMessage: 'listed',
      clientId: 'assent-secret',
      scope: 'openid payments',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(entry.id).not.toBe(started.body.auth_req_id);
    await expect(onPhone('listed', 'bob@example.com')).rejects.toThrow('not on the phone');
  });

  it('takes one answer, however many taps come at once', async () => {
    await ask(withBasic(sandbox.clients.secretBasic), { binding_message: 'taps' });
    const { id } = await onPhone('taps');
    const answers = await Promise.all([tap(id, 'approve'), tap(id, 'deny'), tap(id, 'approve')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409, 409]);
    expect(await (await tap(id, 'deny')).json()).toMatchObject({ code: 'already_answered' });
  });

  it('does not know other ids and other people', async () => {
    expect((await tap(randomUUID(), 'approve')).status).toBe(404);
    expect((await fetch(`${sandbox.phoneUrl}/requests?loginHint=carol@example.com`)).status).toBe(404);
    expect((await fetch(`${sandbox.phoneUrl}/carol`)).status).toBe(404);
  });

  it.each([
    ['an Origin', { origin: 'https://evil.example' }],
    ['an opaque Origin', { origin: 'null' }],
    ['Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site' }],
  ])('refuses a foreign page by %s', async (_what, headers) => {
    await ask(withBasic(sandbox.clients.secretBasic), { binding_message: 'forged' });
    const { id } = await onPhone('forged');
    expect((await tap(id, 'approve', headers)).status).toBe(403);
    expect((await tap(id, 'deny', { origin: sandbox.url })).status).toBe(204);
  });

  it('answers under its own host names only', async () => {
    const { hostname, port } = new URL(sandbox.url);
    const asked = request({ hostname, port, path: '/phone/alice', headers: { host: 'rebound.example' } }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(421);
  });
});

it('has printed nothing on the console', () => {
  expect(printed).toEqual([]);
});
