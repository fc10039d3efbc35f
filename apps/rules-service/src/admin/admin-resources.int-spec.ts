import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defaultRejectionHandlers } from '#lib/domain';
import {
  apiClient,
  keyPair,
  page,
  providerCheck,
  rejectionHandler,
  rule,
  tokenProvider,
  webhookEndpoint,
  type Page,
  type Problem,
  type ProviderCheck,
  type Rule,
  type TokenProvider,
} from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { createCertificateAuthority } from '../../../../test/support/certificates.js';
import { ruleBody, RulesHouse } from '../../../../test/support/rules-house.js';

interface Subject {
  readonly schema: z.ZodType;
  /** A body that makes one; `name` in the member that names it. */
  readonly body: (name: string) => object | Promise<object>;
  readonly nameMember: string;
  readonly unique: boolean;
  readonly hasPut: boolean;
  /** A change of something else than the name, and how it shows. */
  readonly patch: object;
  /** Members that only the creation shows. */
  readonly shownOnce?: readonly string[];
}

let house: RulesHouse;
let providerId: string;
let otherProviderId: string;
let pem: { certificate: string; privateKey: string };

beforeAll(async () => {
  house = await RulesHouse.open();
  providerId = (await house.provider()).id;
  otherProviderId = (await house.provider()).id;
  const authority = await createCertificateAuthority('Test CA');
  const issued = await authority.issue({ commonName: 'client' });
  pem = { certificate: issued.certificatePem + authority.certificatePem, privateKey: issued.privateKeyPem };
});
afterAll(() => house.close());

const subjects: Readonly<Record<string, Subject>> = {
  rules: {
    schema: rule,
    body: (name) => ruleBody(providerId, { name }),
    nameMember: 'name',
    unique: true,
    hasPut: true,
    patch: { consumeWithinSeconds: 30, scopes: ['payments'] },
  },
  'token-providers': {
    schema: tokenProvider,
    body: (name) => ({ name, issuer: 'https://op.example/' }),
    nameMember: 'name',
    unique: true,
    hasPut: true,
    patch: { profile: 'keycloak', issuer: 'https://op.example/realm' },
  },
  'key-pairs': {
    schema: keyPair,
    body: (alias) => ({ alias, pem }),
    nameMember: 'alias',
    unique: true,
    hasPut: false,
    patch: { alias: 'Renamed' },
  },
  'rejection-handlers': {
    schema: rejectionHandler,
    body: (name) => ({ name, type: 'error-template', status: 403, contentType: 'text/plain', template: '{{title}}' }),
    nameMember: 'name',
    unique: true,
    hasPut: true,
    patch: { status: 451 },
  },
  'webhook-endpoints': {
    schema: webhookEndpoint,
    body: (description) => ({ url: 'https://hooks.example/assent', description }),
    nameMember: 'description',
    unique: false,
    hasPut: true,
    patch: { enabled: false, events: ['decision.approved'] },
    shownOnce: ['secret'],
  },
  'api-clients': {
    schema: apiClient,
    body: (name) => ({ name, scopes: ['requests:write'] }),
    nameMember: 'name',
    unique: true,
    hasPut: false,
    patch: { scopes: ['requests:read'] },
    shownOnce: ['key', 'callbackSecret'],
  },
};

type Shown = Record<string, unknown> & { id: string; version: number } & Partial<Problem>;
const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  house.admin.call<Shown>(method, path, body, headers);

describe.each(Object.entries(subjects))('%s', (collection, subject) => {
  const path = `/v1/${collection}`;
  const create = async (name: string = randomUUID()) => call('POST', path, await subject.body(name));

  it('are created, shown, and their secrets shown once', async () => {
    const name = `Ümlaut & <special> "${randomUUID().slice(0, 8)}"`;
    const created = await create(name);
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`${path}/${created.body.id}`);
    expect(created.headers.get('etag')).toBe('"1"');
    expect(created.headers.get('cache-control')).toBe('no-store');
    expect(created.body).toMatchObject({ version: 1, [subject.nameMember]: name });
    const shown = await call('GET', `${path}/${created.body.id}`);
    expect(shown.status).toBe(200);
    expect(shown.headers.get('etag')).toBe('"1"');
    expect(subject.schema.parse(shown.body)).toEqual(shown.body);
    const members = new Set(Object.keys(created.body));
    for (const member of subject.shownOnce ?? []) expect(members.delete(member)).toBe(true);
    expect([...members].sort()).toEqual(Object.keys(shown.body).sort());
  });

  it('change member by member, each time to a new version', async () => {
    const { body: before } = await create();
    const patched = await call('PATCH', `${path}/${before.id}`, subject.patch);
    expect(patched.status).toBe(200);
    expect(patched.headers.get('etag')).toBe('"2"');
    expect(patched.body).toMatchObject({ ...subject.patch, version: 2 });
    const untouched = Object.keys(patched.body).filter(
      (member) => !(member in subject.patch) && !['version', 'updatedAt', 'discovery'].includes(member),
    );
    for (const member of untouched) expect([member, patched.body[member]]).toEqual([member, before[member]]);
    expect((await call('GET', `${path}/${before.id}`)).body).toEqual(patched.body);
    await call('DELETE', `${path}/${before.id}`);
  });

  it('accept a patch under its own media type', async () => {
    const { body } = await create();
    const patched = await call('PATCH', `${path}/${body.id}`, subject.patch, {
      'content-type': 'application/merge-patch+json',
    });
    expect(patched.status).toBe(200);
    await call('DELETE', `${path}/${body.id}`);
  });

  it('refuse a patch that leads to nothing sound, and change nothing', async () => {
    const { body } = await create();
    for (const patch of [{ nonsense: 1 }, [], 'text', null, 7, undefined, { id: randomUUID() }, { version: 9 }]) {
      const answer = await call('PATCH', `${path}/${body.id}`, patch ?? null);
      expect([patch, answer.status, answer.body.code]).toEqual([patch, 422, 'invalid_body']);
    }
    expect((await call('GET', `${path}/${body.id}`)).body.version).toBe(1);
  });

  it('change only at the version that is expected', async () => {
    const { body } = await create();
    const one = `${path}/${body.id}`;
    const patch = (ifMatch: string) => call('PATCH', one, subject.patch, { 'if-match': ifMatch });
    expect((await patch('"1"')).status).toBe(200);
    const late = await patch('"1"');
    expect(late).toMatchObject({ status: 412, body: { code: 'version_mismatch' } });
    expect(late.body.detail).toContain('version 2');
    expect(late.headers.get('etag')).toBe('"2"');
    expect((await patch('W/"2"')).status).toBe(412);
    expect(await patch('2')).toMatchObject({ status: 400, body: { code: 'invalid_if_match' } });
    expect(await call('DELETE', one, undefined, { 'if-match': '"1"' })).toMatchObject({ status: 412 });
    expect(await call('DELETE', one, undefined, { 'if-match': 'nonsense' })).toMatchObject({ status: 400 });
    expect((await patch('*')).body.version).toBe(3);
    expect((await patch('"7", "3"')).body.version).toBe(4);
    expect((await call('DELETE', one, undefined, { 'if-match': '"4"' })).status).toBe(204);
  });

  it('lose no concurrent change', async () => {
    const { body } = await create();
    const one = `${path}/${body.id}`;
    const answers = await Promise.all([1, 2, 3].map(() => call('PATCH', one, subject.patch)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map((answer) => answer.body.version).sort()).toEqual([2, 3, 4]);
    const conditional = await Promise.all(
      [1, 2, 3].map(() => call('PATCH', one, subject.patch, { 'if-match': '"4"' })),
    );
    expect(conditional.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
    await call('DELETE', one);
  });

  it('are replaced as a whole', async () => {
    if (!subject.hasPut) {
      const { status, body } = await call('PUT', `${path}/${randomUUID()}`, {});
      expect([status, body.code]).toEqual([405, 'method_not_allowed']);
      return;
    }
    const { body } = await create();
    const one = `${path}/${body.id}`;
    await call('PATCH', one, subject.patch);
    const name = randomUUID();
    const replaced = await call('PUT', one, await subject.body(name), { 'if-match': '"2"' });
    expect(replaced.status).toBe(200);
    const changing = { [subject.nameMember]: name, version: 3, updatedAt: replaced.body['updatedAt'] };
    const withoutSecrets = Object.entries(body).filter(([member]) => !subject.shownOnce?.includes(member));
    const expected = { ...Object.fromEntries(withoutSecrets), ...changing };
    expect({ ...replaced.body, clientCredentials: null }).toEqual({ ...expected, clientCredentials: null });
    expect((await call('PUT', one, {})).body.code).toBe('invalid_body');
    expect((await call('PUT', one, await subject.body(name), { 'if-match': '"2"' })).status).toBe(412);
  });

  it('have names of their own', async () => {
    const name = randomUUID();
    const { body: first } = await create(name);
    const second = await create(name);
    if (!subject.unique) {
      expect(second.status).toBe(201);
      return;
    }
    expect(second).toMatchObject({
      status: 409,
      body: { code: 'name_taken', errors: [{ pointer: `/${subject.nameMember}` }] },
    });
    const { body: third } = await create();
    const renamed = await call('PATCH', `${path}/${third.id}`, { [subject.nameMember]: name });
    expect(renamed).toMatchObject({ status: 409, body: { code: 'name_taken' } });
    await call('DELETE', `${path}/${first.id}`);
    expect((await create(name)).status).toBe(201);
  });

  it('are listed page by page, oldest first', async () => {
    const made: string[] = [];
    for (let count = 0; count < 5; count++) made.push((await create()).body.id);
    const seen: string[] = [];
    let next: string | null = `${path}?limit=2`;
    while (next !== null) {
      const answer = await house.admin.call<Page<Shown>>('GET', next);
      expect(page(subject.schema).parse(answer.body)).toEqual(answer.body);
      expect(answer.body.data.length).toBeLessThanOrEqual(2);
      seen.push(...answer.body.data.map(({ id }) => id));
      const link: RegExpExecArray | null = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '');
      expect(link === null).toBe(answer.body.nextCursor === null);
      next = link?.[1] ?? null;
      if (next) expect(new URL(next, 'http://x').searchParams.get('cursor')).toBe(answer.body.nextCursor);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => made.includes(id))).toEqual(made);
    const bad = await call('GET', `${path}?cursor=nonsense`);
    expect(bad).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });

  it('that do not exist are not found', async () => {
    for (const id of [randomUUID(), 'nonsense', '0', '%27%20or%201=1', '..', 'a'.repeat(200)]) {
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const answer = await call(method, `${path}/${id}`, method === 'PATCH' ? subject.patch : undefined);
        expect([id, method, answer.status, answer.body.code]).toEqual([id, method, 404, 'not_found']);
      }
    }
  });

  it('are gone when they are deleted', async () => {
    const { body } = await create();
    const deleted = await call('DELETE', `${path}/${body.id}`);
    expect([deleted.status, deleted.body]).toEqual([204, null]);
    for (const method of ['GET', 'DELETE']) {
      expect((await call(method, `${path}/${body.id}`)).status).toBe(404);
    }
  });
});

describe('rules', () => {
  const path = '/v1/rules';

  it('ask only for what the profile of their provider takes, also when they change (R15, R25)', async () => {
    const provider = await house.provider({ profile: 'camara' });
    const body = (over: object) => ruleBody(provider.id, over);
    const problem = (pointer: string) => ({ status: 422, body: { errors: [{ pointer }] } });
    const hinted = await call('POST', path, body({ hintKind: 'id_token_hint' }));
    expect(hinted).toMatchObject(problem('/hintKind'));
    const more = await call('POST', path, body({ extraParameters: { audience: 'x' } }));
    expect(more).toMatchObject(problem('/extraParameters/audience'));
    const { id } = (await call('POST', path, body({}))).body;
    expect(await call('PATCH', `${path}/${id}`, { hintKind: 'login_hint_token' })).toMatchObject(problem('/hintKind'));
  });

  it('have the defaults of the contract', async () => {
    expect(await house.rule()).toMatchObject({
      scopes: [],
      deliveryMode: 'poll',
      enabled: true,
      releaseAccessToken: false,
      consumeWithinSeconds: 300,
      onInitiationUnknown: 'fail',
      requestedExpirySeconds: null,
      bindingMessage: null,
      acrValues: [],
      timeoutRejectionHandlerId: null,
      denyRejectionHandlerId: null,
      errorRejectionHandlerId: null,
    });
  });

  it('never show their secret, and keep it when it is left out', async () => {
    const secretOf = async (id: string, version: number) => {
      const registration = await house.database.registrations.load({ id, version });
      return registration.credentials;
    };
    const made = await house.rule();
    expect(made.clientCredentials).toEqual({ type: 'secret', method: null, clientSecretSetAt: expect.any(String) });
    const renamed = await call('PATCH', `${path}/${made.id}`, { name: 'Renamed' });
    expect(await secretOf(made.id, 2)).toMatchObject({ clientSecret: 'canary-client-secret' });
    expect(renamed.body['clientCredentials']).toEqual(made.clientCredentials);
    const patched = await call('PATCH', `${path}/${made.id}`, {
      clientCredentials: { method: 'client_secret_post' },
    });
    expect(patched.body['clientCredentials']).toMatchObject({ type: 'secret', method: 'client_secret_post' });
    const replaced = await call(
      'PUT',
      `${path}/${made.id}`,
      ruleBody(providerId, { name: 'Renamed', clientCredentials: { type: 'secret' } }),
    );
    expect(replaced.status).toBe(200);
    expect(await secretOf(made.id, 4)).toMatchObject({ clientSecret: 'canary-client-secret', method: null });
    await call('PATCH', `${path}/${made.id}`, { clientCredentials: { clientSecret: 'another' } });
    expect(await secretOf(made.id, 5)).toMatchObject({ clientSecret: 'another' });
    expect(await secretOf(made.id, 1)).toMatchObject({ clientSecret: 'canary-client-secret' });
    const everything = JSON.stringify([renamed, patched, replaced, await call('GET', `${path}/${made.id}`)]);
    expect(everything).not.toMatch(/canary-client-secret|another/);
    const rows = JSON.stringify(await house.query(`select *, encode(client_secret, 'escape') from rule_versions`));
    expect(rows).not.toContain('canary-client-secret');
  });

  it('need a secret when they turn to one', async () => {
    const made = await house.rule({ clientCredentials: { type: 'private-key-jwt' } });
    const turned = await call('PATCH', `${path}/${made.id}`, { clientCredentials: { type: 'secret' } });
    expect(turned).toMatchObject({
      status: 422,
      body: { code: 'invalid_body', errors: [{ pointer: '/clientCredentials/clientSecret' }] },
    });
    const bodies = [ruleBody(providerId, { clientCredentials: { type: 'secret' } })];
    for (const body of bodies) expect((await call('POST', path, body)).status).toBe(422);
  });

  it('take every kind of credentials', async () => {
    const keyPairId = (await house.admin.create('key-pairs', { alias: randomUUID(), pem })).id;
    const mutualTls = { type: 'mutual-tls', keyPairId, method: 'self_signed_tls_client_auth' };
    const made = await house.rule({ clientCredentials: mutualTls });
    expect(made.clientCredentials).toEqual(mutualTls);
    const turned = await call('PATCH', `${path}/${made.id}`, { clientCredentials: { type: 'private-key-jwt' } });
    expect(turned.body['clientCredentials']).toEqual({ type: 'private-key-jwt' });
  });

  it.each(['poll', 'ping', 'push'])('are delivered by %s when they say so', async (deliveryMode) => {
    expect(await call('POST', path, ruleBody(providerId, { deliveryMode }))).toMatchObject({
      status: 201,
      body: { deliveryMode },
    });
  });

  it.each([
    ['/tokenProviderId', (id: string) => ({ tokenProviderId: id })],
    ['/clientCredentials/keyPairId', (id: string) => ({ clientCredentials: { type: 'mutual-tls', keyPairId: id } })],
    ['/timeoutRejectionHandlerId', (id: string) => ({ timeoutRejectionHandlerId: id })],
    ['/denyRejectionHandlerId', (id: string) => ({ denyRejectionHandlerId: id })],
    ['/errorRejectionHandlerId', (id: string) => ({ errorRejectionHandlerId: id })],
  ])('refer at %s to what exists', async (pointer, over) => {
    const refused = { status: 422, body: { code: 'unknown_reference', errors: [{ pointer }] } };
    expect(await call('POST', path, ruleBody(providerId, over(randomUUID())))).toMatchObject(refused);
    const made = await house.rule();
    expect(await call('PATCH', `${path}/${made.id}`, over(randomUUID()))).toMatchObject(refused);
  });

  it('keep what they use from being deleted', async () => {
    const provider = await house.provider();
    const { id: keyPairId } = await house.admin.create('key-pairs', { alias: randomUUID(), pem });
    const handler = await subjects['rejection-handlers']!.body(randomUUID());
    const { id: handlerId } = await house.admin.create('rejection-handlers', handler);
    const made = await house.admin.create<Rule>(
      'rules',
      ruleBody(provider.id, {
        name: 'The user',
        clientCredentials: { type: 'mutual-tls', keyPairId },
        denyRejectionHandlerId: handlerId,
      }),
    );
    const used = [`token-providers/${provider.id}`, `key-pairs/${keyPairId}`, `rejection-handlers/${handlerId}`];
    for (const place of used) {
      const refused = await call('DELETE', `/v1/${place}`);
      expect([place, refused.status, refused.body.code]).toEqual([place, 409, 'in_use']);
      expect(refused.body.users).toEqual([{ kind: 'rule', id: made.id, name: 'The user' }]);
      expect(refused.body.detail).toContain('The user');
    }
    expect((await call('DELETE', `${path}/${made.id}`)).status).toBe(204);
    for (const place of used) expect((await call('DELETE', `/v1/${place}`)).status).toBe(204);
  });

  it('stay while a request runs under them', async () => {
    const made = await house.rule();
    const id = await house.request(made);
    expect(await call('DELETE', `${path}/${made.id}`)).toMatchObject({ status: 409, body: { code: 'in_use' } });
    await house.admin.cancel(id);
    expect((await call('DELETE', `${path}/${made.id}`)).status).toBe(204);
  });
});

describe('rejection handlers', () => {
  const path = '/v1/rejection-handlers';

  it('have three that are predefined, and cannot be changed', async () => {
    const { body } = await house.admin.call<Page<Shown>>('GET', path);
    const predefined = body.data.filter((handler) => handler['predefined'] === true);
    expect(predefined.map(({ id }) => id).sort()).toEqual(Object.values(defaultRejectionHandlers).sort());
    for (const { id } of predefined) {
      const refused = { status: 409, body: { code: 'predefined' } };
      const body = await subjects['rejection-handlers']!.body('Mine');
      expect(await call('PUT', `${path}/${id}`, body)).toMatchObject(refused);
      expect(await call('PATCH', `${path}/${id}`, { status: 418 })).toMatchObject(refused);
      expect(await call('DELETE', `${path}/${id}`)).toMatchObject(refused);
    }
  });

  it('turn from one type to another', async () => {
    const made = await house.admin.create(
      'rejection-handlers',
      await subjects['rejection-handlers']!.body(randomUUID()),
    );
    const redirect = { name: 'Elsewhere', type: 'redirect', url: '/sorry' };
    const turned = await call('PATCH', `${path}/${made.id}`, redirect);
    expect(turned).toMatchObject({ status: 200, body: { ...redirect, status: 302 } });
    expect(turned.body).not.toHaveProperty('template');
  });
});

describe('token providers', () => {
  let server: Server;
  let issuer: string;
  let configuration: (() => object) | null;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const found = request.url === '/.well-known/openid-configuration' && configuration !== null;
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(found ? configuration!() : {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it('are looked at when they are asked to be, and not before', async () => {
    configuration = null;
    const made = await house.provider({ issuer });
    expect(made.discovery).toEqual({ state: 'not-tried', checkedAt: null, problem: null });
    const check = () => house.admin.call<ProviderCheck>('POST', `/v1/token-providers/${made.id}/check`);
    const seen = async () => (await house.admin.call<TokenProvider>('GET', `/v1/token-providers/${made.id}`)).body;
    const found = async () => (await check()).body.findings.map(({ code }) => code);
    const missing = await check();
    expect(missing).toMatchObject({ status: 200, body: { ok: false, checkedAt: expect.any(String) } });
    expect(providerCheck.parse(missing.body).findings[0]).toMatchObject({ code: 'discovery_not_found' });
    expect((await seen()).discovery).toEqual({
      state: 'failed',
      checkedAt: missing.body.checkedAt,
      problem: expect.stringContaining('404'),
    });
    configuration = () => ({
      issuer,
      backchannel_authentication_endpoint: `${issuer}/backchannel`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
    });
    expect(await found()).toContain('keys_unreachable');
    expect(await seen()).toMatchObject({ version: 1, discovery: { state: 'ok', problem: null } });
    configuration = () => ({ issuer: `${issuer}/` });
    expect(await found()).toContain('issuer_trailing_slash');
    expect((await seen()).discovery.state).toBe('failed');
  });

  it('are looked at with fifty of their rules at most', async () => {
    configuration = null;
    const made = await house.provider({ issuer });
    for (let index = 0; index < 51; index += 1) await house.admin.create('rules', ruleBody(made.id));
    await house.rule();
    const { body } = await house.admin.call<ProviderCheck>('POST', `/v1/token-providers/${made.id}/check`);
    const rules = new Set(body.findings.flatMap(({ rule }) => (rule === undefined ? [] : [rule.id])));
    expect(rules.size).toBe(50);
    expect(body.findings.map(({ code }) => code)).toContain('rules_left_out');
  });

  it('may bring their metadata along', async () => {
    const metadata = { backchannel_authentication_endpoint: 'https://op.example/b', anything: { deep: [1, 'x'] } };
    const made = await house.provider({ metadata });
    expect(made).toMatchObject({ metadata, discovery: { state: 'explicit' } });
    const changed = await call('PATCH', `/v1/token-providers/${made.id}`, { metadata: null });
    expect(changed.body).toMatchObject({ metadata: null, discovery: { state: 'not-tried' } });
  });

  it('are not created with certificates that are none', async () => {
    const body = { name: 'x', issuer: 'https://op.example', trustedCertificates: ['-----BEGIN CERTIFICATE-----\nx'] };
    expect(await call('POST', '/v1/token-providers', body)).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/trustedCertificates/0' }] },
    });
  });

  it('move a rule from one to another', async () => {
    const made = await house.rule();
    const moved = await call('PATCH', `/v1/rules/${made.id}`, { tokenProviderId: otherProviderId });
    expect(moved.body).toMatchObject({ tokenProviderId: otherProviderId, version: 2 });
  });
});

describe('key pairs', () => {
  it('never show their private key', async () => {
    const made = await house.admin.create<{ id: string }>('key-pairs', { alias: randomUUID(), pem });
    const shown = await call('GET', `/v1/key-pairs/${made.id}`);
    expect(shown.body).toMatchObject({ keyAlgorithm: 'EC P-256', subject: 'CN=client', issuer: 'CN=Test CA' });
    expect(shown.body['certificateChain']).toHaveLength(2);
    expect(shown.body['status']).toBe('expiring');
    expect(JSON.stringify([made, shown.body])).not.toMatch(/PRIVATE KEY/);
    const stored = JSON.stringify(await house.query(`select *, encode(private_key, 'escape') from key_pairs`));
    expect(stored).not.toMatch(/PRIVATE KEY/);
  });

  it('that do not fit together are refused with what is wrong', async () => {
    const foreign = await (await createCertificateAuthority('Other')).issue({ commonName: 'other' });
    const answer = await call('POST', '/v1/key-pairs', {
      alias: 'Mismatch',
      pem: { ...pem, privateKey: foreign.privateKeyPem },
    });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'invalid_key_pair', errors: [{ pointer: '/pem/privateKey' }] },
    });
    expect(await house.database.keyPairs.findByName('Mismatch')).toBeNull();
  });
});

describe('webhook endpoints', () => {
  it('show a secret of 32 bytes once, and their deliveries', async () => {
    const made = await house.admin.create<{ id: string; secret: string }>('webhook-endpoints', {
      url: 'https://hooks.example/all',
    });
    expect(made.secret).toMatch(/^whsec_/);
    expect(Buffer.from(made.secret.slice(6), 'base64')).toHaveLength(32);
    const id = await house.request(await house.rule());
    await house.approve(id);
    const listed = await house.admin.call<Page<Shown>>('GET', `/v1/webhook-endpoints/${made.id}/deliveries`);
    expect(listed.body.data).toMatchObject([{ url: 'https://hooks.example/all', state: 'pending', attempts: [] }]);
    const nobody = await call('GET', `/v1/webhook-endpoints/${randomUUID()}/deliveries`);
    expect(nobody).toMatchObject({ status: 404, body: { code: 'not_found' } });
    await call('DELETE', `/v1/webhook-endpoints/${made.id}`);
  });
});

describe('addresses', () => {
  it('of our own network are refused', async () => {
    const strict = await RulesHouse.open({ allowLoopback: false });
    try {
      const refused = ['http://hooks.example/', 'https://127.0.0.1/', 'https://169.254.169.254/', 'https://localhost/'];
      for (const url of refused) {
        const endpoint = await strict.admin.call<Problem>('POST', '/v1/webhook-endpoints', { url });
        expect([url, endpoint.status, endpoint.body.code]).toEqual([url, 422, 'callback_url_refused']);
        expect(endpoint.body.errors?.[0]?.pointer).toBe('/url');
        const provider = await strict.admin.call<Problem>('POST', '/v1/token-providers', { name: 'x', issuer: url });
        expect([url, provider.status, provider.body.errors?.[0]?.pointer]).toEqual([url, 422, '/issuer']);
      }
    } finally {
      await strict.close();
    }
  });
});
