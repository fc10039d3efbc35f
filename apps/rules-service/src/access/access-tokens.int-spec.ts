import { randomUUID } from 'node:crypto';
import type { ApiClient, Problem } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AssentClient } from '../../../../test/support/assent-client.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';
import { tokenAttacks } from '../../../../test/support/token-attacks.js';
import { TokenIssuer } from '../../../../test/support/token-issuer.js';

let issuer: TokenIssuer;
let house: RulesHouse;
let warehouse: ApiClient;
beforeAll(async () => {
  issuer = await TokenIssuer.start();
  house = await RulesHouse.open({ tokenIssuers: [{ issuer: issuer.url, audience: issuer.audience }] });
  warehouse = await client('warehouse');
});
afterAll(async () => {
  await house?.close();
  await issuer?.stop();
});

const client = (clientId: string, over: object = {}) =>
  house.admin.create<ApiClient>('api-clients', {
    name: `Client ${randomUUID()}`,
    scopes: ['requests:read', 'requests:write'],
    oauthClient: { issuer: issuer.url, clientId },
    ...over,
  });
const call = (token: string, method = 'GET', path = '/v1/authorization-requests', body?: object) =>
  new AssentClient(house.url, token).call<Problem>(method, path, body);
const statusOf = async (token: string) => (await call(token)).status;

describe('an access token (RFC 9068)', () => {
  it('is a credential of its API client', async () => {
    expect(await statusOf(await issuer.token())).toBe(200);
    const typed = {
      header: { typ: 'application/at+JWT' },
      claims: { aud: ['https://other.example', issuer.audience] },
    };
    expect(await statusOf(await issuer.token(typed))).toBe(200);
    expect(await statusOf(await issuer.token({ claims: { client_id: undefined } }))).toBe(200);
  });

  it('makes requests that belong to the same client as those of its key', async () => {
    const rule = await house.rule();
    const token = await issuer.token({ claims: { scope: 'openid requests:write requests:read' } });
    const body = { rule: rule.id, attributes: { email: 'alice@example.com' } };
    const made = await new AssentClient(house.url, token).submit(body);
    expect(made.status).toBe(202);
    const { body: rotated } = await house.admin.call<{ key: string }>(
      'POST',
      `/v1/api-clients/${warehouse.id}/rotate`,
      {},
    );
    expect((await new AssentClient(house.url, rotated.key).request(made.body.id)).status).toBe(200);
    expect((await new AssentClient(house.url, await issuer.token()).request(made.body.id)).status).toBe(200);
  });

  it('can do what its scope and its client have in common', async () => {
    const refused = await call(
      await issuer.token({ claims: { scope: 'requests:read admin:read' } }),
      'GET',
      '/v1/rules',
    );
    expect(refused).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect(await statusOf(await issuer.token({ claims: { scope: 'requests:write' } }))).toBe(403);
    expect(await statusOf(await issuer.token({ claims: { scope: undefined } }))).toBe(403);
  });

  it('stops with its client, and when the client goes by another name', async () => {
    const { id } = await client('short-lived');
    const token = await issuer.token({ claims: { client_id: 'short-lived' } });
    const change = (patch: object) => house.admin.call('PATCH', `/v1/api-clients/${id}`, patch);
    expect(await statusOf(token)).toBe(200);
    await change({ enabled: false });
    expect(await statusOf(token)).toBe(401);
    await change({ enabled: true });
    expect(await statusOf(token)).toBe(200);
    await change({ oauthClient: null });
    expect(await statusOf(token)).toBe(401);
  });

  it('knows the limits of its client', async () => {
    const [own, other] = [await house.rule(), await house.rule()];
    await client('limited', { rules: [own.id], subjects: [{ endsWith: '@example.com' }] });
    const token = await issuer.token({ claims: { client_id: 'limited', scope: 'requests:write' } });
    const ask = (rule: string, email: string) =>
      call(token, 'POST', '/v1/authorization-requests', { rule, attributes: { email } });
    expect((await ask(own.id, 'alice@example.com')).status).toBe(202);
    expect((await ask(other.id, 'alice@example.com')).body.code).toBe('rule_not_allowed');
    expect((await ask(own.id, 'alice@example.org')).body.code).toBe('subject_not_allowed');
  });

  it('names one API client only', async () => {
    const body = { name: randomUUID(), scopes: ['requests:read'], oauthClient: warehouse.oauthClient };
    const taken = await house.admin.call<Problem>('POST', '/v1/api-clients', body);
    expect(taken).toMatchObject({ status: 409, body: { code: 'name_taken', errors: [{ pointer: '/oauthClient' }] } });
  });

  it.each(tokenAttacks)('is refused: $name', async ({ token }) => {
    const answer = await call(await token(issuer));
    expect([answer.status, answer.body]).toEqual([401, (await call('assent.unknown.token')).body]);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  });

  it('of another house is refused where no issuer is trusted', async () => {
    const trusting = await RulesHouse.open();
    expect((await new AssentClient(trusting.url, await issuer.token()).call('GET', '/v1/rules')).status).toBe(401);
    await trusting.close();
  });
});

describe('the keys of an issuer', () => {
  it('are not asked for again while they are known', async () => {
    await statusOf(await issuer.token());
    const before = issuer.calls.length;
    await Promise.all(Array.from({ length: 50 }, async () => expect(await statusOf(await issuer.token())).toBe(200)));
    expect(issuer.calls.length).toBe(before);
  });

  it('are asked for at most once in a cool-down, however many unknown ones are named', async () => {
    const before = issuer.calls.length;
    const startedMs = performance.now();
    const flood = Array.from({ length: 200 }, (_, n) => issuer.token({ header: { kid: `unknown-${n}` } }));
    expect(new Set(await Promise.all(flood.map(async (token) => statusOf(await token))))).toEqual(new Set([401]));
    // One discovery and one set of keys for each cool-down (5 s) that has begun.
    const coolDowns = 1 + Math.floor((performance.now() - startedMs) / 5_000);
    expect(issuer.calls.length - before).toBeLessThanOrEqual(2 * coolDowns);
    expect(await statusOf(await issuer.token())).toBe(200);
  });

  it('cannot be had: the call is told to come again, and keys of ours work on', async () => {
    const [silent, liar] = [await TokenIssuer.start(), await TokenIssuer.start()];
    silent.reachable = false;
    liar.metadata = { issuer: 'https://attacker.example' };
    const other = await RulesHouse.open({
      tokenIssuers: [silent, liar].map(({ url, audience }) => ({ issuer: url, audience })),
    });
    for (const one of [silent, liar]) {
      const answer = await new AssentClient(other.url, await one.token()).call<Problem>('GET', '/v1/rules');
      expect(answer).toMatchObject({ status: 503, body: { code: 'issuer_unavailable' } });
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    expect((await other.admin.call('GET', '/v1/rules')).status).toBe(200);
    await other.close();
    await Promise.all([silent.stop(), liar.stop()]);
  });
});
