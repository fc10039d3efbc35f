import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { SandboxPhone } from '../../../../test/support/sandbox-phone.js';
import { freeConsecutivePorts } from '../../../../test/support/rabbitmq-ports.js';
import { sandboxClients } from '../clients.js';
import { startSandbox, type Sandbox } from '../sandbox.module.js';

type Json = Record<string, unknown>;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

interface Described {
  readonly name: string;
  readonly issuer: string;
  readonly hints: { readonly alice: string };
  readonly peculiarities: readonly { readonly quirk: string }[];
  readonly circumstances: readonly { readonly hint: string; readonly quirk: string }[];
  readonly misbehaviours: readonly unknown[];
}

let sandbox: Sandbox;
let phone: SandboxPhone;
let described: Described[];

beforeAll(async () => {
  sandbox = await startSandbox({ port: await freeConsecutivePorts(2), assentUrl: null, assentApiKey: null });
  phone = new SandboxPhone(sandbox.url);
  const answer = await fetch(sandbox.personasUrl);
  described = ((await answer.json()) as { personas: Described[] }).personas;
});

afterAll(() => sandbox.stop());

const { clientId, clientSecret } = sandboxClients.secretBasic;
const grant = 'urn:openid:params:grant-type:ciba';

async function post(persona: string, endpoint: string, members: Record<string, string>): Promise<Answer> {
  const answer = await fetch(`${sandbox.url}/as/${persona}/${endpoint}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams(members),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Json };
}

const hintOf = (persona: string): string => described.find(({ name }) => name === persona)!.hints.alice;

const start = (persona: string, more: Record<string, string> = {}): Promise<Answer> =>
  post(persona, 'backchannel', {
    scope: 'openid',
    login_hint: hintOf(persona),
    binding_message: `For-${persona}`,
    ...more,
  });

const poll = (persona: string, authReqId: unknown): Promise<Answer> =>
  post(persona, 'token', { grant_type: grant, auth_req_id: String(authReqId), scope: 'openid' });

describe('the list of personas', () => {
  it('names every provider, with its peculiarities and a note on what it is worth', async () => {
    const names = described.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        ...['pingfederate', 'pingone', 'keycloak', 'auth0', 'okta', 'duende', 'wso2', 'curity', 'camara', 'hostile'],
      ]),
    );
    expect(described.find(({ name }) => name === 'hostile')?.misbehaviours.length).toBeGreaterThan(30);
    expect(await (await fetch(sandbox.personasUrl)).text()).toContain('no evidence');
    const page = await fetch(sandbox.personasUrl, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain('<title>Simulated providers');
  });
});

describe('each persona', () => {
  it('is an issuer of its own that can be discovered, and takes a person through', async () => {
    const names = described.map(({ name }) => name);
    await Promise.all(
      names.map(async (name) => {
        const { issuer } = described.find((one) => one.name === name)!;
        const discovery = (await (
          await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
        ).json()) as Json;
        expect(discovery).toMatchObject({ issuer, grant_types_supported: [grant] });
        const { status, body } = await start(name);
        expect({ name, status, body }).toMatchObject({ status: 200, body: { auth_req_id: expect.any(String) } });
        const { id } = (await phone.waiting('alice@example.com')).find(
          ({ bindingMessage }) => bindingMessage === `For-${name}`,
        )!;
        await phone.answer(id, 'approve');
        // The person has answered: nothing is left to wait for but the interval.
        await new Promise((resolve) => setTimeout(resolve, Number(body['interval'] ?? 5) * 1000));
        const { body: tokens } = await poll(name, body['auth_req_id']);
        const keys = (await (await fetch(discovery['jwks_uri'] as string)).json()) as JSONWebKeySet;
        expect(JSON.stringify(keys)).not.toContain('"d"');
        const { payload } = await jwtVerify(String(tokens['id_token']), createLocalJWKSet(keys), {
          issuer,
          audience: clientId,
        });
        expect(payload.sub).toMatch(/alice$/);
      }),
    );
  });
});

describe('the start call', () => {
  it.each([
    ['keycloak', { binding_message: 'with spaces' }, 'invalid_binding_message'],
    ['keycloak', { user_code: '1' }, 'invalid_request'],
    ['keycloak', { client_notification_token: 'x'.repeat(30) }, 'invalid_request'],
    ['keycloak', { login_hint: 'nobody' }, 'invalid_request'],
    ['auth0', { binding_message: 'x'.repeat(65) }, 'invalid_request'],
    ['auth0', { login_hint: 'alice@example.com' }, 'invalid_request'],
    ['duende', { requested_expiry: '301' }, 'invalid_request'],
    ['camara', { login_hint: 'alice@example.com' }, 'invalid_request'],
    ['camara', { login_hint: 'tel:+15550001001;blocked' }, 'access_denied'],
    ['okta', { request: 'a.b.c' }, 'invalid_request'],
    ['standard', { login_hint: 'nobody@example.com' }, 'unknown_user_id'],
    ['standard', { id_token_hint: 'both' }, 'invalid_request'],
    ['standard', { scope: 'email' }, 'invalid_scope'],
  ])('%s with %j: %s', async (persona, more, error) => {
    expect((await start(persona, more as unknown as Record<string, string>)).body).toMatchObject({ error });
  });

  it.each([
    ['pingfederate', 600, 120],
    ['pingfederate', 60, 60],
    ['keycloak', 60, 120],
    ['auth0', 301, 301],
    ['camara', 60, 120],
    ['curity', null, 900],
    ['wso2', null, 3600],
  ])('%s asked for %j s gives %i s', async (persona, asked, given) => {
    const more: Record<string, string> = asked === null ? {} : { requested_expiry: String(asked) };
    expect((await start(persona, more)).body['expires_in']).toBe(given);
  });

  it('refuses a client that cannot prove itself', async () => {
    const form = new URLSearchParams({ client_id: clientId, client_secret: 'wrong' });
    const answer = await fetch(`${sandbox.url}/as/standard/backchannel`, { method: 'POST', body: form });
    expect([answer.status, await answer.json()]).toEqual([401, expect.objectContaining({ error: 'invalid_client' })]);
  });
});

describe('the hostile persona', () => {
  it('misbehaves as the hint says, without waiting for the person', async () => {
    const { body } = await start('hostile', { login_hint: 'alice+unsigned@example.com' });
    const { body: tokens } = await poll('hostile', body['auth_req_id']);
    expect(String(tokens['id_token'])).toMatch(/\.$/);
  });

  it('says what there is when nobody of a name is played, or has no such endpoint', async () => {
    const tell = async (path: string) => {
      const answer = await fetch(`${sandbox.url}${path}`);
      const { code, detail } = (await answer.json()) as Json;
      return [answer.status, code, detail] as const;
    };
    const [status, code, detail] = await tell('/as/nobody/.well-known/openid-configuration');
    expect([status, code]).toEqual([404, 'unknown_persona']);
    expect(detail).toContain(`${sandbox.url}/as/okta`);
    expect((await tell('/as/nobody'))[1]).toBe('unknown_persona');
    expect((await tell('/as/nobody/calls'))[1]).toBe('unknown_persona');
    const [, endpointCode, endpoints] = await tell('/as/okta/tokens');
    expect(endpointCode).toBe('unknown_endpoint');
    expect(endpoints).toContain('/as/okta/token');
  });

  it('shows its latest calls, without secrets', async () => {
    const calls = (await (await fetch(`${sandbox.url}/as/hostile/calls`)).json()) as Json[];
    expect(calls.at(-1)).toMatchObject({ clientId, parameters: expect.any(Object) });
    expect(JSON.stringify(calls)).not.toContain(clientSecret);
  });
});
