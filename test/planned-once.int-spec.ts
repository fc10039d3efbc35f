/**
 * How PostgreSQL plans what it is asked about every request: once for each connection, and so that nothing is read whole.
 * Neither shows in a count of statements, and `pg_stat_statements` leaves out the time that planning takes.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Database } from '#lib/persistence';
import pg from 'pg';
import { v7 as uuid } from 'uuid';
import {
  aDecision,
  anEvidence,
  approve,
  openFixture,
  pending,
  submitted,
  type DatabaseFixture,
} from './support/postgres-builders.js';

const callbackUrl = 'https://shop.example/callbacks';

const fixtures: DatabaseFixture[] = [];
/** The connections of the pool. */
const clients = new Set<pg.Client>();
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the client that it is taken from
const original = pg.Client.prototype.query;
const send = <Row extends pg.QueryResultRow>(client: pg.Client, text: string): Promise<Row[]> =>
  (original as (this: pg.Client, text: string) => Promise<pg.QueryResult<Row>>)
    .call(client, text)
    .then(({ rows }) => rows);

beforeAll(() => {
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    if (!clients.has(this)) this.once('end', () => clients.delete(this));
    clients.add(this);
    return (original as (...all: unknown[]) => unknown).apply(this, args);
  } as typeof original;
});
afterAll(async () => {
  pg.Client.prototype.query = original;
  await Promise.all(fixtures.map((fixture) => fixture.close()));
}, 60_000);

async function opened(): Promise<DatabaseFixture> {
  const fixture = await openFixture();
  fixtures.push(fixture);
  clients.clear();
  return fixture;
}

async function outside<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return send<Row>(client, text).finally(() => client.end());
}

type Lived = Pick<DatabaseFixture, 'database' | 'rule'>;

/** One request that comes alone, from its beginning to the use of its approval. */
async function life({ database, rule }: Lived): Promise<void> {
  const id = await pending(database, rule, { request: { callbackUrl } });
  await database.requests.startWork(id);
  await database.requests.pending({ ids: [id] });
  await database.requests.change(id, approve({ evidence: anEvidence() }));
  const callbackId = await decide(database, id);
  const answer = { at: new Date(), durationMs: 1, status: 204, problem: null, outcome: 'delivered' as const };
  await database.deliveries.finish([{ id: callbackId, ...answer }]);
  await database.requests.view(id, null);
  await database.requests.change(id, { type: 'consume', by: 'shop', key: null });
  await database.requests.consumed(id, null);
  await database.outbox.settle([uuid()]);
}

/** Records the decision about it, and leases its callback; the id of that. */
async function decide(database: Database, id: string): Promise<string> {
  const context = (await database.decisions.context(id))!;
  const cause = { consumer: 'decision-service', eventId: randomUUID() };
  const { callback } = await database.decisions.recordAndLease({
    decision: aDecision(context),
    cause,
    callbackLeaseSeconds: 60,
  });
  return callback!.id;
}

async function lives(lived: Lived, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await life(lived);
}

async function requests({ database, rule }: DatabaseFixture, count: number): Promise<void> {
  for (let made = 0; made < count; made += 100)
    await Promise.all(Array.from({ length: 100 }, () => submitted(database, rule)));
}

/** A connection tells what it has read from time to time, or when it is asked to. */
async function flushed(): Promise<void> {
  await Promise.all([...clients].map((client) => send(client, 'select pg_stat_force_next_flush()')));
}

/** How often the connections have planned each statement for its values. */
async function plansForValues(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const text = 'select name, custom_plans::integer as plans from pg_prepared_statements';
  const all = [...clients].map((client) => send<{ name: string; plans: number }>(client, text));
  for (const { name, plans } of (await Promise.all(all)).flat()) counts.set(name, (counts.get(name) ?? 0) + plans);
  return counts;
}

it('is done once for each connection, and not for each request that comes alone', async () => {
  const fixture = await opened();
  await requests(fixture, 2_000);
  await outside(fixture.url, 'vacuum analyze');
  clients.clear();
  const one = { rule: fixture.rule, database: await fixture.reopen() };
  // Five times PostgreSQL plans for the values given; from then on it takes what looks cheaper.
  await lives(one, 10);
  const before = await plansForValues();
  await lives(one, 10);
  const more = [...(await plansForValues())].filter(([name, plans]) => plans > (before.get(name) ?? 0));

  expect(before.size).toBeGreaterThan(10);
  expect(more).toEqual([]);
}, 120_000);

it('reads no whole table while a new database has no statistics', async () => {
  const fixture = await opened();
  await lives(fixture, 10);
  await requests(fixture, 500);
  await lives(fixture, 10);
  await flushed();
  const read = await outside<{ table: string }>(
    fixture.url,
    `select relname as table, seq_scan::integer as times, seq_tup_read::integer as rows from pg_stat_user_tables
     where seq_tup_read > 100 and relname <> 'migrations' order by relname`,
  );

  const [server] = await outside<{ version: number }>(
    fixture.url,
    `select current_setting('server_version_num')::integer as version`,
  );

  // What an older server reads until it has statistics is left as it is (libs/persistence/src/connection.ts).
  expect(server!.version < 180_000 ? [] : read).toEqual([]);
}, 120_000);

it('reads no more when much is pending that was not when it was planned', async () => {
  const fixture = await opened();
  const { database, rule, url } = fixture;
  await requests(fixture, 2_000);
  await outside(url, 'update outbox set published_at = clock_timestamp()');
  await outside(url, 'vacuum analyze');
  await lives(fixture, 20);
  const ids = await Promise.all(
    Array.from({ length: 800 }, () => pending(database, rule, { request: { callbackUrl } })),
  );
  const half = ids.slice(0, 400);
  await Promise.all(half.map((id) => database.requests.change(id, approve({ evidence: anEvidence() }))));
  await Promise.all(half.map((id) => decide(database, id)));
  await flushed();
  await outside(url, 'select pg_stat_reset()');
  await lives(fixture, 20);
  await flushed();
  const read = await outside<{ index: string }>(
    url,
    `select indexrelname as index, idx_scan::integer as times, idx_tup_read::integer as rows from pg_stat_user_indexes
     where idx_tup_read > 4000 order by 1`,
  );

  expect(read).toEqual([]);
}, 120_000);
