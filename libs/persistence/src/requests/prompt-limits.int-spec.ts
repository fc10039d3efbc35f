import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { defaultPromptLimits, noPromptLimits, type PromptLimits } from '#lib/domain';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import {
  aRequest,
  approve,
  aRule,
  openFixture,
  type DatabaseFixture,
} from '../../../../test/support/postgres-builders.js';
import { Database, type NewRequest, type SubmitResult } from '../index.js';

let fixture: DatabaseFixture;
let stores: Database[];
let sql: Client;
beforeAll(async () => {
  fixture = await openFixture();
  stores = [fixture.database, await fixture.reopen(), await fixture.reopen()];
  sql = new Client({ connectionString: fixture.url });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await fixture.close();
});

const somebody = () => `${randomUUID()}@example.com`;
const request = (person: string, over: Partial<NewRequest> = {}) =>
  aRequest(fixture.rule, { person, limits: defaultPromptLimits, ...over });
const only = (over: Partial<PromptLimits>) => ({ limits: { ...noPromptLimits, ...over } });
const submit = (one: NewRequest, store = fixture.database) => store.requests.submit(one);
const kinds = (results: readonly SubmitResult[]) =>
  Object.fromEntries(
    ['created', 'limited', 'joined', 'replayed', 'idempotency-key-reused'].map((kind) => [
      kind,
      results.filter((result) => result.kind === kind).length,
    ]),
  );
/** What the tightest limit has left, told to each that was stored; the most first. */
const leastLeft = (results: readonly SubmitResult[]) =>
  results
    .flatMap((result) =>
      result.kind === 'created' ? [Math.min(...Object.values(result.left).map((left) => left ?? Infinity))] : [],
    )
    .sort((a, b) => b - a);
const countdown = (limit: number) => Array.from({ length: limit }, (_, n) => limit - 1 - n);
const countOf = async (table: string): Promise<number> =>
  Number((await sql.query<{ count: string }>(`select count(*) from ${table}`)).rows[0]!.count);
const move = (ids: readonly string[], column: 'created_at' | 'ended_at', seconds: number) =>
  sql.query(`update authorization_requests set ${column} = ${column} - make_interval(secs => $2) where id = any($1)`, [
    ids,
    seconds,
  ]);
async function created(one: NewRequest): Promise<string> {
  const result = await submit(one);
  if (result.kind !== 'created') throw new Error(JSON.stringify(result));
  return result.id;
}

async function acknowledged(person: string, over: Partial<NewRequest> = {}): Promise<string> {
  const id = await created(request(person, over));
  const attemptId = randomUUID();
  const { requests } = fixture.database;
  const cause = { requestId: id, attemptId, instanceId: 'test', callTimeoutMs: 10_000, cause: null };
  const opened = await requests.openAttempt(cause);
  if (opened.kind !== 'opened') throw new Error(opened.kind);
  const { sentAt } = opened;
  const answer = { authReqId: randomUUID(), sentAt, expiresInSeconds: 120, intervalSeconds: 5 };
  await requests.change(id, { type: 'acknowledge', attemptId, ...answer });
  return id;
}

async function answered(person: string, answer: 'deny' | 'approve'): Promise<string> {
  const id = await acknowledged(person);
  const command = answer === 'deny' ? ({ type: 'deny', providerError: null, polls: 1 } as const) : approve();
  const result = await fixture.database.requests.change(id, command);
  if (result.kind !== 'applied') throw new Error(result.kind);
  return id;
}

describe('a limit per person (R108)', () => {
  it.each<[string, Partial<PromptLimits>, number]>([
    ['5 that have not ended', {}, 5],
    ['10 in 5 minutes', { outstanding: 0 }, 10],
    ['60 in an hour', { outstanding: 0, perFiveMinutes: 0 }, 60],
  ])('lets exactly %s through of 10,000 attempts over three stores', async (_, over, limit) => {
    const person = somebody();
    const limits = { ...defaultPromptLimits, ...over };
    const before = [await countOf('outbox'), await countOf('request_timeline')];
    const results: SubmitResult[] = [];
    let left = 10_000;
    const attack = async (store: Database) => {
      while (left-- > 0) results.push(await submit(request(person, { limits }), store));
    };
    await Promise.all(Array.from({ length: 600 }, (_each, n) => attack(stores[n % 3]!)));
    expect(kinds(results)).toMatchObject({ created: limit, limited: 10_000 - limit });
    const ids = results.flatMap((result) => (result.kind === 'created' ? [result.id] : []));
    expect(await fixture.database.requests.states(ids)).toHaveLength(limit);
    expect(leastLeft(results)).toEqual(countdown(limit));
    // What was refused has left nothing.
    expect([await countOf('outbox'), await countOf('request_timeline')]).toEqual(before.map((count) => count + limit));
  });

  it('says what is left of each, to every one of a batch', async () => {
    const person = somebody();
    const limits = { ...defaultPromptLimits, perHour: 0 };
    const results = await Promise.all(
      Array.from({ length: 3 }, () => submit(request(person, { limits }))).concat(
        submit(request(somebody(), { limits: noPromptLimits })),
      ),
    );
    const left = results.map((result) => (result.kind === 'created' ? result.left : null));
    for (const [n, one] of left.slice(0, 3).entries()) {
      expect(one).toMatchObject({ outstanding: 4 - n, 'five-minutes': 9 - n, hour: null, rule: null });
    }
    expect(left[3]).toEqual({ outstanding: null, 'five-minutes': null, hour: null, client: null, rule: null });
  });

  it('says which one, how much it is, and when to come again', async () => {
    const person = somebody();
    const limits = { ...noPromptLimits, perFiveMinutes: 1, perHour: 3 };
    const first = await created(request(person, { limits }));
    expect(await submit(request(person, { limits }))).toEqual({
      kind: 'limited',
      limit: 'five-minutes',
      quota: 1,
      windowSeconds: 300,
      retryAfterSeconds: 300,
    });
    await move([first], 'created_at', 100);
    expect(await submit(request(person, { limits }))).toMatchObject({ limit: 'five-minutes', retryAfterSeconds: 200 });
    await move([first], 'created_at', 201);
    const second = await created(request(person, { limits }));
    await move([second], 'created_at', 301);
    const third = await created(request(person, { limits }));
    await move([third], 'created_at', 301);
    expect(await submit(request(person, { limits }))).toMatchObject({ limit: 'hour', quota: 3, windowSeconds: 3600 });
    await move([first], 'created_at', 3600);
    expect(await submit(request(person, { limits }))).toMatchObject({ kind: 'created' });
  });

  it('counts one person under every spelling, and nobody else', async () => {
    const person = somebody();
    const limits = only({ outstanding: 1 });
    await created(request(person, limits));
    for (const spelling of [
      person.toUpperCase(),
      ` ${person}`,
      person.replace('@', '\u200B@'),
      person.replace('@', '＠'),
    ]) {
      expect(await submit(request(spelling, limits))).toMatchObject({ kind: 'limited', limit: 'outstanding' });
    }
    expect(await submit(request(somebody(), limits))).toMatchObject({ kind: 'created' });
  });

  it('counts whoever asks, under whichever rule', async () => {
    const person = somebody();
    const limits = only({ outstanding: 2 });
    const other = await aRule(fixture.database, { tokenProviderId: fixture.provider.id });
    await created(request(person, limits));
    await created(aRequest(other, { person, apiClientId: randomUUID(), ...limits }));
    expect(await submit(request(person, limits))).toMatchObject({ kind: 'limited' });
  });

  it('frees a place as soon as a request ends', async () => {
    const person = somebody();
    const limits = only({ outstanding: 1 });
    const id = await created(request(person, limits));
    expect(await submit(request(person, limits))).toMatchObject({ kind: 'limited', windowSeconds: null });
    await fixture.database.requests.change(id, { type: 'cancel', by: 'client' });
    expect(await submit(request(person, limits))).toMatchObject({ kind: 'created' });
  });

  it('judges each request of a batch by its own limits', async () => {
    const person = somebody();
    const strict = only({ outstanding: 1 });
    const wide = only({ outstanding: 4 });
    const order = [strict, strict, wide, strict, wide, wide, wide, strict];
    const results = await Promise.all(order.map((limits) => submit(request(person, limits))));
    expect(results.map(({ kind }) => kind)).toEqual([
      'created',
      'limited',
      'created',
      'limited',
      'created',
      'created',
      'limited',
      'limited',
    ]);
  });
});

describe('a repetition under an idempotency key (R108)', () => {
  it('never counts, and is answered when the limit is reached', async () => {
    const person = somebody();
    const limits = only({ outstanding: 2, perHour: 3 });
    const keyed = (key: string, body = 1) =>
      request(person, { ...limits, idempotencyKey: key, bodyHash: Buffer.alloc(32, body) });
    const key = randomUUID();
    const results = await Promise.all(Array.from({ length: 90 }, (_each, n) => submit(keyed(key), stores[n % 3])));
    expect(kinds(results)).toMatchObject({ created: 1, replayed: 89 });
    expect(await submit(keyed(randomUUID()))).toMatchObject({ kind: 'created' });
    expect(await submit(keyed(randomUUID()))).toMatchObject({ kind: 'limited' });
    expect(await submit(keyed(key))).toMatchObject({ kind: 'replayed' });
    expect(await submit(keyed(key, 2))).toEqual({ kind: 'idempotency-key-reused' });
  });

  it('is judged anew when it was refused before', async () => {
    const person = somebody();
    const limits = only({ outstanding: 1 });
    const first = await created(request(person, limits));
    const keyed = request(person, { ...limits, idempotencyKey: randomUUID() });
    expect(await submit(keyed)).toMatchObject({ kind: 'limited' });
    await fixture.database.requests.change(first, { type: 'cancel', by: 'client' });
    expect(await submit(keyed)).toMatchObject({ kind: 'created', id: keyed.id });
  });

  it('does not take a place from others in its batch', async () => {
    const person = somebody();
    const limits = only({ outstanding: 3 });
    const key = randomUUID();
    const keyed = () => request(person, { ...limits, idempotencyKey: key, bodyHash: Buffer.alloc(32, 1) });
    const free = () => request(person, limits);
    const results = await Promise.all(
      [keyed(), keyed(), keyed(), free(), keyed(), free(), free()].map((one) => submit(one)),
    );
    expect(results.map(({ kind }) => kind)).toEqual([
      'created',
      'replayed',
      'replayed',
      'created',
      'replayed',
      'created',
      'limited',
    ]);
  });
});

describe('a person who has said no twice in a row (R108)', () => {
  const limits = only({ coolDownSeconds: 900 });

  it('is left alone until the time is over', async () => {
    const person = somebody();
    const first = await answered(person, 'deny');
    expect(await submit(request(person, limits))).toMatchObject({ kind: 'created' });
    const second = await answered(person, 'deny');
    expect(await submit(request(person, limits))).toEqual({
      kind: 'limited',
      limit: 'cool-down',
      quota: 0,
      windowSeconds: 900,
      retryAfterSeconds: 900,
    });
    expect(await submit(request(person, only({ coolDownSeconds: 0 })))).toMatchObject({ kind: 'created' });
    await move([first, second], 'ended_at', 901);
    expect(await submit(request(person, limits))).toMatchObject({ kind: 'created' });
  });

  it('is not one who said yes in between', async () => {
    const person = somebody();
    for (const answer of ['deny', 'approve', 'deny'] as const) await answered(person, answer);
    expect(await submit(request(person, limits))).toMatchObject({ kind: 'created' });
    await answered(person, 'deny');
    expect(await submit(request(person, limits))).toMatchObject({ limit: 'cool-down' });
  });

  it('is not one for whom the provider said no', async () => {
    const person = somebody();
    for (let n = 0; n < 2; n++) {
      const id = await created(request(person, limits));
      const attemptId = randomUUID();
      const attempt = { requestId: id, attemptId, instanceId: 'test', callTimeoutMs: 10_000, cause: null };
      await fixture.database.requests.openAttempt(attempt);
      const refusal = { type: 'refuse-start', attemptId, providerError: null } as const;
      const result = await fixture.database.requests.change(id, refusal);
      expect(result.kind).toBe('applied');
    }
    expect(await submit(request(person, limits))).toMatchObject({ kind: 'created' });
  });
});

describe('a limit of a client or a rule (R108)', () => {
  it('lets exactly so many through in a minute, whoever is asked', async () => {
    await startOfMinute();
    const apiClientId = randomUUID();
    const limits = only({ clientPerMinute: 25 });
    const attempts = Array.from({ length: 300 }, (_each, n) =>
      submit(request(somebody(), { ...limits, apiClientId }), stores[n % 3]),
    );
    const results = await Promise.all(attempts);
    expect(kinds(results)).toMatchObject({ created: 25, limited: 275 });
    expect(leastLeft(results)).toEqual(countdown(25));
    const refused = await submit(request(somebody(), { ...limits, apiClientId }));
    expect(refused).toMatchObject({ limit: 'client', quota: 25, windowSeconds: 60 });
    expect(await submit(request(somebody(), { ...limits, apiClientId: randomUUID() }))).toMatchObject({
      kind: 'created',
    });
    await sql.query(`update prompt_meters set minute = minute - interval '1 minute' where id = $1`, [apiClientId]);
    expect(await submit(request(somebody(), { ...limits, apiClientId }))).toMatchObject({ kind: 'created' });
  });

  it('counts neither what was refused for another reason nor a repetition', async () => {
    await startOfMinute();
    const rule = await aRule(fixture.database, { tokenProviderId: fixture.provider.id });
    const person = somebody();
    const idempotencyKey = randomUUID();
    const ask = (who: string, over: Partial<NewRequest> = {}) =>
      submit(aRequest(rule, { person: who, ...only({ rulePerMinute: 3, outstanding: 1 }), ...over }));
    const repeated = { idempotencyKey, bodyHash: Buffer.alloc(32, 1) };
    await Promise.all([ask(person, repeated), ask(person), ask(person), ask(person, repeated)]);
    await ask(person, repeated);
    expect(await ask(somebody())).toMatchObject({ kind: 'created' });
    expect(await ask(somebody())).toMatchObject({ kind: 'created' });
    expect(await ask(somebody())).toMatchObject({ limit: 'rule', quota: 3 });
  });
});

describe('an identical request (R108)', () => {
  const joinText = 'the same';

  it('is joined while the first one waits, over all stores, and counts once', async () => {
    const person = somebody();
    const limits = only({ outstanding: 1 });
    const attempts = Array.from({ length: 120 }, (_each, n) =>
      submit(request(person, { ...limits, joinText }), stores[n % 3]),
    );
    const results = await Promise.all(attempts);
    expect(kinds(results)).toMatchObject({ created: 1, joined: 119 });
    const ids = new Set(results.map((result) => 'id' in result && result.id));
    expect(ids.size).toBe(1);
    const [id] = [...ids] as [string];
    expect(await submit(request(person, { ...limits, joinText: 'another' }))).toMatchObject({ kind: 'limited' });
    await fixture.database.requests.change(id, { type: 'cancel', by: 'client' });
    expect(await submit(request(person, { ...limits, joinText }))).toMatchObject({ kind: 'created' });
  });

  it('is joined by the same person only', async () => {
    await created(request(somebody(), { joinText }));
    expect(await submit(request(somebody(), { joinText }))).toMatchObject({ kind: 'created' });
  });

  it('keeps its idempotency key: the repetition names the same request, after its end too', async () => {
    const person = somebody();
    const id = await created(request(person, { joinText }));
    const keyed = () => request(person, { joinText, idempotencyKey: 'joined', bodyHash: Buffer.alloc(32, 3) });
    expect(await submit(keyed())).toEqual({ kind: 'joined', id });
    expect(await submit(keyed())).toEqual({ kind: 'replayed', id });
    await fixture.database.requests.change(id, { type: 'cancel', by: 'client' });
    expect(await submit(keyed())).toEqual({ kind: 'replayed', id });
    expect(await submit({ ...keyed(), bodyHash: Buffer.alloc(32, 4) })).toEqual({ kind: 'idempotency-key-reused' });
    const { apiClientId } = keyed();
    expect(await fixture.database.requests.submitted(apiClientId, 'joined', Buffer.alloc(32, 3))).toEqual({
      kind: 'replayed',
      id,
    });
  });
});

it('finds the same person after the master keys were changed, and the database alone does not tell who (R108)', async () => {
  const person = somebody();
  await created(request(person, only({ outstanding: 1 })));
  const masterKeys = `k9:${randomBytes(32).toString('base64')},${fixture.masterKeys}`;
  for (let round = 0; round < 2; round++) {
    const database = await Database.open({ url: fixture.url, masterKeys, source: '/assent/test' });
    try {
      expect(await submit(request(person, only({ outstanding: 1 })), database)).toMatchObject({ kind: 'limited' });
    } finally {
      await database.close();
    }
  }
  const keys = await sql.query<{ sealed_key: Buffer }>('select sealed_key from lookup_keys');
  // Sealed by the key that seals now, so that the old one can go.
  expect(keys.rows.map(({ sealed_key: sealed }) => sealed.toString('latin1', 2, 4))).toEqual(['k9']);
  const names = new Set([person, person.toUpperCase()].flatMap((name) => [name, sha256Hex(name)]));
  const dump = JSON.stringify(
    (await sql.query(`select r::text, encode(subject_key, 'hex') from authorization_requests r`)).rows,
  );
  for (const name of names) expect(dump).not.toContain(name);
});

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** Waits for the next minute of the database when this one is nearly over. */
async function startOfMinute(): Promise<void> {
  const text = `select extract(second from clock_timestamp())::float8 as second, pg_sleep(0) as slept`;
  const { second } = (await sql.query<{ second: number }>(text)).rows[0]!;
  if (second > 30) await sql.query('select pg_sleep($1)', [60.05 - second]);
}

describe('admitting requests', () => {
  it('looks each ask up by index, although all was planned while nothing was there', async () => {
    const house = await openFixture();
    const reader = new Client({ connectionString: house.url });
    await reader.connect();
    try {
      const client = randomUUID();
      const asks = Array.from({ length: 100 }, (_, n) => ({
        n,
        id: randomUUID(),
        api_client_id: client,
        idempotency_key: `key-${n}`,
        key_no: n + 1,
        person_no: n + 1,
        outstanding: 3,
        per_five_minutes: 5,
        per_hour: 20,
        cool_down_seconds: 60,
      }));
      const persons = asks.map(() => randomBytes(32));
      const admitted = async () => {
        const { rowCount } = await reader.query(
          `select from admit_requests($1::bytea[], '{}', '{}', $2::json) where verdict = 'admitted'`,
          [persons, JSON.stringify(asks)],
        );
        return rowCount;
      };
      /** What this connection has read, as far as the server has not taken note of it: whole tables, entries of indexes. */
      const read = async () => {
        const { rows } = await reader.query<{ scans: number; entries: number }>(
          `select sum(seq_scan)::integer as scans,
             (select sum(pg_stat_get_xact_tuples_returned(indexrelid))::integer from pg_stat_user_indexes
              where relname = any($1)) as entries
           from pg_stat_xact_user_tables where relname = any($1)`,
          [['authorization_requests', 'joined_requests']],
        );
        return rows[0]!;
      };

      expect(await admitted()).toBe(100);
      const others = Array.from({ length: 300 }, (_, n) =>
        aRequest(house.rule, { apiClientId: client, idempotencyKey: `other-${n}`, person: somebody() }),
      );
      await Promise.all(others.map((other) => house.database.requests.submit(other)));
      await reader.query('begin');
      const before = await read();
      expect(await admitted()).toBe(100);
      const after = await read();
      await reader.query('rollback');

      expect(after.scans).toBe(before.scans);
      // For each the key that comes next, at most.
      expect(after.entries - before.entries).toBeLessThanOrEqual(asks.length);
    } finally {
      await reader.end();
      await house.close();
    }
  });
});
