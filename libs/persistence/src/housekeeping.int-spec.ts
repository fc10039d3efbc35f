import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import type { Decision } from '#lib/contracts';
import {
  anEvidence,
  approve,
  openFixture,
  pending,
  sealWhole,
  type DatabaseFixture,
} from '../../../test/support/postgres-builders.js';
import type { Retention } from './index.js';

let fixture: DatabaseFixture;
let sql: Client;
beforeAll(async () => {
  fixture = await openFixture();
  sql = new Client({ connectionString: fixture.url });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await fixture.close();
});

const long: Retention = {
  personalDays: 1000,
  requestsDays: 1000,
  timelinesDays: 1000,
  deliveriesDays: 1000,
  eventsDays: 1000,
  inboxDays: 1000,
};
const housekeep = (over: Partial<Retention>) => fixture.database.housekeep({ retention: { ...long, ...over } });
const countOf = async (table: string, where: string, id: string): Promise<number> =>
  Number((await sql.query<{ count: string }>(`select count(*) from ${table} where ${where}`, [id])).rows[0]!.count);

/** An approved request with its decision and a callback that is over; its id says that it is so old. */
async function endedRequest(daysAgo: number, over: object = {}): Promise<string> {
  const { database, rule } = fixture;
  const id = uuid({ msecs: Date.now() - daysAgo * 86_400_000 });
  const request = { id, callbackUrl: 'https://shop.example/callback', ...over };
  await pending(database, rule, { request });
  await database.requests.change(id, approve({ evidence: anEvidence({ subject: `subject of ${id}` }) }));
  const context = (await database.decisions.context(id))!;
  const decision: Decision = {
    id: uuid(),
    authorizationRequestId: id,
    outcome: 'approved',
    reason: null,
    providerError: null,
    rule: { ...context.rule },
    decidedAt: new Date().toISOString(),
    rejection: null,
    evidence: { ...context.evidence!, amr: null },
    receipt: `receipt of ${id}`,
    requestHash: context.requestHash,
    metadata: {},
  };
  await database.decisions.record({ decision, cause: null });
  await sealWhole(database, async (text) => (await sql.query<{ behind: boolean }>(text)).rows);
  await sql.query(
    `update authorization_requests set created_at = created_at - make_interval(days => $2),
       ended_at = ended_at - make_interval(days => $2) where id = $1`,
    [id, daysAgo],
  );
  return id;
}

/** Its deliveries have come to an end. */
const delivered = (id: string, daysAgo = 0) =>
  sql.query(
    `update deliveries set state = 'delivered', next_attempt_at = null, created_at = created_at - make_interval(days => $2)
     where request_id = $1`,
    [id, daysAgo],
  );

describe('what has served its time (R112)', () => {
  it('loses what names the person first, and keeps the rest', async () => {
    const [old, young, busy] = [await endedRequest(31), await endedRequest(29), await endedRequest(31)];
    await delivered(old);
    await delivered(young);
    await housekeep({ personalDays: 30 });
    const { requests } = fixture.database;
    expect(await requests.asked(old)).toMatchObject({ attributes: {}, loginHint: '' });
    const view = (await requests.view(old, null))!;
    expect(view).toMatchObject({ status: 'approved', decision: { outcome: 'approved', receipt: null } });
    expect(view.decision!.evidence!.subject).toBe('');
    expect(await requests.asked(young)).toMatchObject({ loginHint: 'alice@example.com' });
    // What is still being delivered stays until it is over.
    expect(await requests.asked(busy)).toMatchObject({ loginHint: 'alice@example.com' });
    const events = await sql.query<{ event: { data: Decision } }>(
      `select event from outbox where exchange = 'assent.decisions' and event->>'subject' = $1`,
      [old],
    );
    expect(events.rows.map(({ event }) => event.data.receipt)).toEqual([null]);
  });

  it('goes whole in the end, with everything that belongs to it', async () => {
    const [old, young, busy] = [await endedRequest(100), await endedRequest(98), await endedRequest(100)];
    await delivered(old);
    await delivered(young);
    await housekeep({ requestsDays: 99 });
    for (const table of ['decisions', 'deliveries', 'request_timeline', 'start_attempts']) {
      expect([table, await countOf(table, 'request_id = $1', old)]).toEqual([table, 0]);
      expect([table, await countOf(table, 'request_id = $1', young)]).not.toEqual([table, 0]);
    }
    const { requests } = fixture.database;
    expect(await requests.view(old, null)).toBeNull();
    expect(await requests.view(young, null)).not.toBeNull();
    expect(await requests.view(busy, null)).not.toBeNull();
  });

  it('goes class by class', async () => {
    const id = await endedRequest(50);
    await delivered(id, 50);
    await sql.query(`update outbox set published_at = clock_timestamp() - interval '50 days'`);
    await sql.query(`update request_timeline set at = at - interval '50 days' where request_id = $1`, [id]);
    const published = () => countOf('outbox', `event->>'subject' = $1`, id);
    await housekeep({ deliveriesDays: 51, eventsDays: 51, timelinesDays: 51 });
    expect(await countOf('deliveries', 'request_id = $1', id)).toBe(1);
    expect(await published()).toBeGreaterThan(0);
    await housekeep({ deliveriesDays: 49 });
    expect(await countOf('deliveries', 'request_id = $1', id)).toBe(0);
    // An event that holds a decision never outlives what names the person.
    await housekeep({ personalDays: 49 });
    expect(await published()).toBe(0);
    expect(await fixture.database.requests.view(id, null)).not.toBeNull();
  });

  it('leaves rows alone that somebody holds, and takes them the next time', async () => {
    const [held, free] = [await endedRequest(200), await endedRequest(200)];
    await delivered(held);
    await delivered(free);
    await sql.query('begin');
    await sql.query('select from authorization_requests where id = $1 for update', [held]);
    await housekeep({ requestsDays: 199 });
    await sql.query('commit');
    expect(await fixture.database.requests.view(held, null)).not.toBeNull();
    expect(await fixture.database.requests.view(free, null)).toBeNull();
    await housekeep({ requestsDays: 199 });
    expect(await fixture.database.requests.view(held, null)).toBeNull();
  });

  it('stops after the portion that is being done, and goes on where it stopped', async () => {
    await sql.query(
      `insert into inbox (consumer, event_id, handled_at)
       select 'portions', n::text, clock_timestamp() - interval '9 days' from generate_series(1, 5000) as n`,
    );
    const left = () => countOf('inbox', 'consumer = $1', 'portions');
    await fixture.database.housekeep({ retention: { ...long, inboxDays: 8 }, maxPortions: 1 });
    expect(await left()).toBe(3000);
    await fixture.database.housekeep({ retention: { ...long, inboxDays: 8 }, signal: AbortSignal.abort() });
    expect(await left()).toBe(3000);
    await housekeep({ inboxDays: 8 });
    expect(await left()).toBe(0);
  });

  it('rests after each portion that leaves more to do, and only then', async () => {
    await sql.query(
      `insert into inbox (consumer, event_id, handled_at)
       select 'rests', n::text, clock_timestamp() - interval '9 days' from generate_series(1, 5000) as n`,
    );
    const left: number[] = [];
    const rest = async (tookMs: number) => {
      expect(tookMs).toBeGreaterThan(0);
      left.push(await countOf('inbox', 'consumer = $1', 'rests'));
    };
    await fixture.database.housekeep({ retention: { ...long, inboxDays: 8 }, rest });
    expect(left).toEqual([3000, 1000]);
  });

  it('keeps an idempotency key for a day at least', async () => {
    const keyed = { idempotencyKey: 'kept', bodyHash: Buffer.alloc(32, 1) };
    const id = await endedRequest(0, keyed);
    await delivered(id);
    await sql.query(`update authorization_requests set ended_at = ended_at - interval '3 days' where id = $1`, [id]);
    await housekeep({ requestsDays: 1, personalDays: 1 });
    const { apiClientId } = (await fixture.database.requests.view(id, null))!;
    const repeated = await fixture.database.requests.submitted(apiClientId, 'kept', keyed.bodyHash);
    expect(repeated).toEqual({ kind: 'replayed', id });
  });

  it('forgets each key of an erased request by its own age', async () => {
    const keys = async (id: string) => {
      const { rows } = await sql.query<{ idempotency_key: string | null; consume_key: string | null }>(
        'select idempotency_key, consume_key from authorization_requests where id = $1',
        [id],
      );
      return rows[0];
    };
    // A consumption cannot be moved in time but by whoever goes past the triggers.
    const later = async (text: string) => {
      await sql.query('set session_replication_role = replica');
      await sql.query(text);
      await sql.query('set session_replication_role = default');
    };
    const aged = async (age: string, key: string | null) => {
      const id = await endedRequest(0, { idempotencyKey: key, bodyHash: Buffer.alloc(32, 1) });
      await delivered(id);
      await fixture.database.requests.change(id, { type: 'consume', by: 'client', key: 'used' });
      await later(
        `update authorization_requests set created_at = created_at - interval '${age}', ended_at = ended_at - interval '5 days',
           consumed_at = consumed_at - interval '1 hour', erased_at = clock_timestamp() where id = '${id}'`,
      );
      return id;
    };
    const [old, keyless] = [await aged('2 days', 'old'), await aged('2 days', null)];
    await housekeep({});
    // Asked two days ago, used an hour ago.
    expect(await keys(old)).toEqual({ idempotency_key: null, consume_key: 'used' });
    expect(await keys(keyless)).toEqual({ idempotency_key: null, consume_key: 'used' });
    await later(
      `update authorization_requests set consumed_at = consumed_at - interval '1 day' where consume_key = 'used'`,
    );
    await housekeep({});
    expect([await keys(old), await keys(keyless)]).toEqual([
      { idempotency_key: null, consume_key: null },
      { idempotency_key: null, consume_key: null },
    ]);
  });

  it('forgets calls that were answered with an erased request, a day after the call', async () => {
    const id = await endedRequest(31);
    await delivered(id);
    await sql.query(
      `insert into joined_requests (api_client_id, idempotency_key, body_hash, request_id, created_at)
       select $2, age::text, '\\x01', $1, clock_timestamp() - age from unnest(array['1 hour', '2 days']::interval[]) as age`,
      [id, uuid()],
    );
    const joined = async () => countOf('joined_requests', 'request_id = $1', id);
    await housekeep({});
    expect(await joined()).toBe(2);
    await housekeep({ personalDays: 30 });
    expect(await joined()).toBe(1);
    await sql.query(`update joined_requests set forget_at = clock_timestamp() where request_id = $1`, [id]);
    await housekeep({});
    expect(await joined()).toBe(0);
  });

  it('does every other job when one fails, and says which', async () => {
    const id = await endedRequest(40);
    await delivered(id, 40);
    await sql.query('alter table inbox rename to inbox_that_is_away');
    const failed: [string, unknown][] = [];
    try {
      const retention = { ...long, deliveriesDays: 39 };
      await fixture.database.housekeep({ retention, onFailure: (...failure) => failed.push(failure) });
      await expect(housekeep({})).rejects.toThrow(/inbox/);
    } finally {
      await sql.query('alter table inbox_that_is_away rename to inbox');
    }
    expect(failed).toEqual([['prune_inbox', expect.objectContaining({ message: expect.stringContaining('inbox') })]]);
    expect(await countOf('deliveries', 'request_id = $1', id)).toBe(0);
  });
});
