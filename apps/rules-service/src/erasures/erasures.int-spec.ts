import { randomUUID } from 'node:crypto';
import { erasure, type Erasure, type Problem, type Rule } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anEvidence } from '../../../../test/support/postgres-builders.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';

let house: RulesHouse;
let rule: Rule;
beforeAll(async () => {
  house = await RulesHouse.open();
  rule = await house.rule({ bindingMessage: 'For {{email}}', releaseAccessToken: true });
});
afterAll(() => house.close());

const erase = (body: object) => house.admin.call<Erasure & Problem>('POST', '/v1/erasures', body);

/** Everything that the database holds, as text. */
async function dump(): Promise<string> {
  const tables = await house.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  const texts = [];
  for (const { name } of tables) {
    const rows = await house.query<{ row: string }>(`select t::text as row from "${name}" t`);
    texts.push(...rows.map(({ row }) => row));
  }
  return texts.join('\n');
}

/** What the database still holds of these words. */
const traces = async (words: readonly string[]): Promise<string[]> =>
  (await dump()).split('\n').filter((row) => words.some((word) => row.includes(word)));

/** A person whose name, attributes and everything else are unlike anything else in the database. */
function somebody() {
  const mark = randomUUID().slice(0, 8);
  const email = `Erika.${mark}@example.com`;
  return {
    email,
    subject: `subject-${mark}`,
    marks: [mark, email, email.toLowerCase()],
    over: {
      attributes: { email, iban: `DE-${mark}` },
      metadata: { customer: `customer-${mark}` },
      callbackUrl: `https://shop.example/done/${mark}?who=${mark}`,
    },
  };
}

async function approved(person: ReturnType<typeof somebody>): Promise<string> {
  const id = await house.request(rule, person.over);
  const token = `token-${person.marks[0]}`;
  await house.approve(id, {
    evidence: anEvidence({ subject: person.subject }),
    releasedToken: { value: token, tokenType: 'Bearer', expiresAt: null, scope: 'openid' },
  });
  return id;
}

describe('erasing a person (R112)', () => {
  it('leaves no trace of the name in the whole database, and keeps outcome, times and request hash', async () => {
    const person = somebody();
    const ids = [await approved(person)];
    const denied = await house.request(rule, person.over);
    await house.deny(denied);
    ids.push(denied);
    const late = await house.request(rule, person.over);
    await house.acknowledge(late);
    await house.admin.cancel(late);
    await house.decide(late);
    await house.database.requests.recordLateEvidence(late, anEvidence({ subject: person.subject }));
    ids.push(late);
    const bystander = await approved(somebody());
    const before = await Promise.all(ids.map(async (id) => (await house.admin.request(id)).body));
    expect(await traces([person.subject])).not.toEqual([]);
    expect(await traces(person.marks)).not.toEqual([]);

    const answer = await erase({ loginHint: ` ${person.email.toUpperCase()} ` });

    expect(answer).toMatchObject({ status: 200, body: { erased: 3, cancelled: 0 } });
    expect(erasure.parse(answer.body)).toEqual(answer.body);
    expect(await traces([...person.marks, person.subject])).toEqual([]);
    for (const [index, id] of ids.entries()) {
      const { body } = await house.admin.request(id);
      const { status, createdAt, expiresAt, requestHash, decision } = before[index]!;
      expect(body).toMatchObject({ status, createdAt, expiresAt, requestHash, bindingMessage: null, metadata: {} });
      expect(body.decision).toMatchObject({ outcome: decision!.outcome, decidedAt: decision!.decidedAt, requestHash });
      // What is sealed is empty, too.
      expect(await house.database.requests.asked(id)).toMatchObject({ attributes: {}, loginHint: '' });
      const types = (await house.admin.timeline(id)).body.data.map(({ type }) => type);
      expect(types.at(-1)).toBe('erased');
    }
    expect((await house.admin.request(ids[0]!)).body.decision!.evidence).toMatchObject({ subject: '' });
    expect((await house.admin.request(bystander)).body.decision!.evidence!.subject).toMatch(/^subject-/);
    // That it was done stays on record.
    const kept = await house.query<{ erased: number }>('select erased from erasures where id = $1', [answer.body.id]);
    expect(kept).toEqual([{ erased: 3 }]);
    expect((await erase({ loginHint: person.email })).body).toMatchObject({ erased: 0, cancelled: 0 });
  });

  it('finds a person by the subject of the provider', async () => {
    const person = somebody();
    await approved(person);
    expect((await erase({ subject: person.subject })).body).toMatchObject({ erased: 1 });
    expect(await traces([...person.marks, person.subject])).toEqual([]);
  });

  it('takes the approval with it: what is not known any more cannot be used', async () => {
    const person = somebody();
    const id = await approved(person);
    await erase({ loginHint: person.email });
    expect(await house.admin.consume(id)).toMatchObject({ status: 409, body: { code: 'approval_lapsed' } });
  });

  it('takes nothing that comes late', async () => {
    const person = somebody();
    const id = await house.request(rule, person.over);
    await house.acknowledge(id);
    await house.admin.cancel(id);
    await house.decide(id);
    await erase({ loginHint: person.email });
    await house.database.requests.recordLateEvidence(id, anEvidence({ subject: person.subject }));
    expect(await traces([person.subject])).toEqual([]);
  });

  it('refuses while requests are open, or withdraws them, as it is told', async () => {
    const person = somebody();
    const ended = await approved(person);
    const open = await house.request(rule, person.over);
    const refused = await erase({ loginHint: person.email });
    expect(refused).toMatchObject({ status: 409, body: { code: 'requests_open' } });
    expect(await traces(person.marks)).not.toEqual([]);

    const erasing = erase({ loginHint: person.email, open: 'cancel' });
    while ((await house.admin.request(open)).body.status !== 'cancelled') await new Promise(setImmediate);
    await house.decide(open);
    const answer = await erasing;
    expect(answer).toMatchObject({ status: 200, body: { erased: 2, cancelled: 1 } });
    expect(await traces(person.marks)).toEqual([]);
    expect((await house.admin.request(ended)).body.status).toBe('approved');
  });

  it('keeps an idempotency key for a day: the repetition of the call is still answered', async () => {
    const person = somebody();
    const key = { 'idempotency-key': `key-${person.marks[0]}` };
    const first = await house.admin.submit({ rule: rule.id, ...person.over }, key);
    await house.deny(first.body.id);
    await erase({ loginHint: person.email });
    const again = await house.admin.submit({ rule: rule.id, ...person.over }, key);
    expect([again.body.id, again.headers.get('idempotent-replayed')]).toEqual([first.body.id, 'true']);
    const aDayLater = `update authorization_requests set created_at = created_at - interval '25 hours' where id = $1`;
    await house.query(aDayLater, [first.body.id]);
    await house.database.housekeep();
    expect(await traces(person.marks)).toEqual([]);
  });

  it.each([
    ['nobody', {}],
    ['two at once', { loginHint: 'a', subject: 'a' }],
    ['an empty name', { loginHint: ' ' }],
    ['another choice', { loginHint: 'a', open: 'ignore' }],
  ])('is not asked for %s', async (_, body) => {
    expect(await erase(body)).toMatchObject({ status: 422, body: { code: 'invalid_body' } });
  });

  it('is for administrators', async () => {
    for (const scope of ['requests:write', 'requests:read', 'admin:read'] as const) {
      const client = await house.client(scope);
      const answer = await client.call('POST', '/v1/erasures', { loginHint: 'a' });
      expect([scope, answer.status]).toEqual([scope, 403]);
    }
  });
});
