import { randomUUID } from 'node:crypto';
import type { Problem, Rule } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AssentClient } from '../../../../test/support/assent-client.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';

let house: RulesHouse;
let rule: Rule;
let otherRule: Rule;
beforeAll(async () => {
  house = await RulesHouse.open();
  rule = await house.rule();
  otherRule = await house.rule();
});
afterAll(() => house.close());

const anId = '01890000-0000-7000-8000-00000000ffff';
const stored = async (): Promise<number> =>
  Number((await house.query<{ count: string }>('select count(*) from authorization_requests'))[0]!.count);

async function clientWith(over: object): Promise<AssentClient & { id: string }> {
  const made = await house.admin.create<{ id: string; key: string }>('api-clients', {
    name: `Client ${randomUUID()}`,
    scopes: ['requests:write', 'requests:read'],
    ...over,
  });
  return Object.assign(new AssentClient(house.url, made.key), { id: made.id });
}
const change = (id: string, patch: object) => house.admin.call('PATCH', `/v1/api-clients/${id}`, patch);
const ask = async (client: AssentClient, email: string, over: object = {}) => {
  const answer = await client.submit({ rule: rule.id, attributes: { email }, ...over });
  return { status: answer.status, body: answer.body as unknown as Problem & { id: string }, headers: answer.headers };
};

describe('a client that is limited to rules (R107)', () => {
  it('may use those, by id and by name, and no other', async () => {
    const client = await clientWith({ rules: [rule.id] });
    expect((await ask(client, 'alice@example.com')).status).toBe(202);
    expect((await ask(client, 'alice@example.com', { rule: rule.name })).status).toBe(202);
    const before = await stored();
    const refused = [otherRule.id, otherRule.name, anId, 'There is no such rule'];
    const answers = await Promise.all(refused.map((name) => ask(client, 'alice@example.com', { rule: name })));
    // A rule of others and one that does not exist are answered alike.
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 403, body: { code: 'rule_not_allowed' } });
    expect(await stored()).toBe(before);
  });

  it('may use none when the list is empty, and all when there is none', async () => {
    const client = await clientWith({ rules: [] });
    expect(await ask(client, 'alice@example.com')).toMatchObject({ status: 403, body: { code: 'rule_not_allowed' } });
    expect((await change(client.id, { rules: null })).status).toBe(200);
    expect((await ask(client, 'alice@example.com')).status).toBe(202);
  });

  it('names rules that exist, and may keep one that has gone', async () => {
    const body = { name: randomUUID(), scopes: ['requests:write'], rules: [anId] };
    const refused = await house.admin.call<Problem>('POST', '/v1/api-clients', body);
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'unknown_reference', errors: [{ pointer: '/rules' }] },
    });
    const passing = await house.rule();
    const client = await clientWith({ rules: [passing.id.toUpperCase(), passing.id] });
    const { body: shown } = await house.admin.call<{ rules: string[] }>('GET', `/v1/api-clients/${client.id}`);
    expect(shown.rules).toEqual([passing.id]);
    expect((await house.admin.call('DELETE', `/v1/rules/${passing.id}`)).status).toBe(204);
    expect((await change(client.id, { name: randomUUID() })).status).toBe(200);
    expect((await change(client.id, { rules: [passing.id, anId] })).status).toBe(422);
  });
});

describe('a client that is limited to people (R107)', () => {
  it('may have those asked and no other, and what it learns is the same for known and unknown people', async () => {
    const client = await clientWith({ subjects: [{ endsWith: '@example.com' }, { equals: 'bob@example.org' }] });
    expect((await ask(client, 'alice@example.com')).status).toBe(202);
    expect((await ask(client, 'ALICE@Example.com ')).status).toBe(202);
    expect((await ask(client, 'bob@example.org')).status).toBe(202);
    await house.request(rule, { attributes: { email: 'known@example.org' } });
    const before = await stored();
    const people = ['known@example.org', 'nobody@example.org', 'x@example.com.example.org', 'a@b@example.com'];
    const answers = await Promise.all(people.map((email) => ask(client, email)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 403, body: { code: 'subject_not_allowed' } });
    expect(await stored()).toBe(before);
  });

  it('is judged by the subject that a hint names, not by how it is written', async () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const idToken = (sub: string) =>
      `${encode({ alg: 'ES256' })}.${encode({ iss: 'https://op.example', sub })}.c2lnbmF0dXJl`;
    const byToken = await house.rule({ hintKind: 'id_token_hint' });
    const client = await clientWith({ subjects: [{ equals: 'alice' }] });
    expect((await ask(client, idToken('alice'), { rule: byToken.id })).status).toBe(202);
    expect((await ask(client, idToken('bob'), { rule: byToken.id })).body.code).toBe('subject_not_allowed');
  });

  it('may be limited by attributes, which have to hold beside the name', async () => {
    const client = await clientWith({ subjects: [{ endsWith: '@example.com', attributes: { tenant: 'acme' } }] });
    const asked = (email: string, tenant: string) => ask(client, email, { attributes: { email, tenant } });
    expect((await asked('alice@example.com', 'acme')).status).toBe(202);
    expect((await asked('alice@example.com', 'other')).body.code).toBe('subject_not_allowed');
    expect((await asked('alice@example.org', 'acme')).body.code).toBe('subject_not_allowed');
  });

  it.each([
    ['nothing', {}],
    ['no attributes', { attributes: {} }],
    ['an empty end', { endsWith: ' ' }],
    ['an unknown member', { matches: '.*' }],
    ['a control character', { equals: 'a\u0000' }],
  ])('is limited by no entry with %s', async (_, entry) => {
    const body = { name: randomUUID(), scopes: ['requests:write'], subjects: [entry] };
    expect((await house.admin.call('POST', '/v1/api-clients', body)).status).toBe(422);
  });

  it('repeats its own call under its key after the limit came', async () => {
    const client = await clientWith({});
    const body = { rule: rule.id, attributes: { email: 'alice@example.com' } };
    const key = { 'idempotency-key': randomUUID() };
    const first = await client.submit(body, key);
    await change(client.id, { subjects: [] });
    const again = await client.submit(body, key);
    expect([again.status, again.body.id, again.headers.get('idempotent-replayed')]).toEqual([
      202,
      first.body.id,
      'true',
    ]);
    expect((await client.submit(body, { 'idempotency-key': randomUUID() })).status).toBe(403);
  });
});

describe('what was allowed is looked at again when an approval is used (R107)', () => {
  async function approved(over: object = {}) {
    const own = await house.rule();
    const client = await clientWith({ rules: [own.id], subjects: [{ endsWith: '@example.com' }], ...over });
    const { body } = await ask(client, 'alice@example.com', { rule: own.id });
    await house.approve(body.id);
    return { client, id: body.id, own };
  }
  const consumed = async (id: string) =>
    (
      await house.query<{ consumed_at: Date | null }>('select consumed_at from authorization_requests where id = $1', [
        id,
      ])
    )[0]!.consumed_at;

  it('and goes through while it still is, whatever the case of the id', async () => {
    const { client, id } = await approved();
    expect((await client.consume(id.toUpperCase())).status).toBe(200);
  });

  it('and refuses the client that is stopped, at once', async () => {
    const { client, id } = await approved();
    await change(client.id, { enabled: false });
    expect(await client.consume(id)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(await consumed(id)).toBeNull();
    await change(client.id, { enabled: true });
    expect((await client.consume(id)).status).toBe(200);
  });

  it('and refuses the rule that is no longer the client’s', async () => {
    const { client, id } = await approved();
    await change(client.id, { rules: [] });
    expect(await client.consume(id)).toMatchObject({ status: 403, body: { code: 'rule_not_allowed' } });
    expect(await consumed(id)).toBeNull();
  });

  it('and refuses the person that is no longer the client’s', async () => {
    const { client, id } = await approved();
    await change(client.id, { subjects: [{ endsWith: '@example.org' }] });
    expect(await client.consume(id)).toMatchObject({ status: 403, body: { code: 'subject_not_allowed' } });
    expect(await consumed(id)).toBeNull();
  });

  it('and refuses the rule that is disabled or gone', async () => {
    const { client, id, own } = await approved();
    await house.admin.call('PATCH', `/v1/rules/${own.id}`, { enabled: false });
    expect(await client.consume(id)).toMatchObject({ status: 409, body: { code: 'rule_disabled' } });
    await house.admin.call('DELETE', `/v1/rules/${own.id}`);
    expect(await client.consume(id)).toMatchObject({ status: 409, body: { code: 'rule_disabled' } });
    expect(await consumed(id)).toBeNull();
  });

  it('and says of what was used before that it was used (I8)', async () => {
    const { client, id, own } = await approved();
    expect((await client.consume(id)).status).toBe(200);
    await house.admin.call('PATCH', `/v1/rules/${own.id}`, { enabled: false });
    expect(await client.consume(id)).toMatchObject({ status: 409, body: { code: 'already_consumed' } });
  });
});
