import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import {
  aDefinition,
  aRequest,
  openFixture,
  pending,
  submitted,
  type DatabaseFixture,
} from '../../../test/support/postgres-builders.js';
import { isUnavailable } from './index.js';

jest.setTimeout(120_000);

/** Transactions that the server rolls back for the sake of others, or because their time is up. */

let fixture: DatabaseFixture;
let other: Client;

beforeAll(async () => {
  fixture = await openFixture();
  other = new Client({ connectionString: fixture.url });
  await other.connect();
  // Fails the next so many changes of the tables that it watches; a sequence goes on counting when all else is undone.
  await other.query(/* sql */ `
    create sequence faults;
    create table fault_plan (state text not null, until integer not null);
    create function fail_as_planned() returns trigger language plpgsql as $$
    declare plan fault_plan;
    begin
      select * into plan from fault_plan;
      if found and nextval('faults') <= plan.until then
        raise exception 'planned' using errcode = plan.state;
      end if;
      return null;
    end $$;
    ${watched
      .map(
        (table) => `create trigger planned_fault after insert or update or delete on ${table}
          for each statement execute function fail_as_planned();`,
      )
      .join('\n')}`);
});
afterEach(() => plan(null));
afterAll(async () => {
  await other?.end();
  await fixture?.close();
});

const watched = [
  'authorization_requests',
  'start_attempts',
  'held_answers',
  'decisions',
  'token_providers',
  'rules',
  'rejection_handlers',
  'webhook_endpoints',
  'api_clients',
  'poller_shards',
];

async function plan(next: { readonly state: string; readonly times: number } | null): Promise<void> {
  await other.query(`truncate fault_plan; alter sequence faults restart`);
  if (next !== null) await other.query('insert into fault_plan values ($1, $2)', [next.state, next.times]);
}

/** Whether all that was planned has come to pass. */
const failuresSoFar = async (): Promise<number> =>
  Number((await other.query<{ n: string }>('select last_value as n from faults')).rows[0]!.n);

/** Every kind of transaction, and how to tell that it took effect once. */
const transactions: [string, () => Promise<() => Promise<unknown>>][] = [
  ['a new request', async () => () => fixture.database.requests.submit(aRequest(fixture.rule))],
  [
    'an attempt to start',
    async () => {
      const requestId = await submitted(fixture.database, fixture.rule);
      const attempt = { requestId, attemptId: uuid(), instanceId: 'test', callTimeoutMs: 1_000, cause: null };
      return () => fixture.database.requests.openAttempt(attempt);
    },
  ],
  [
    'a transition',
    async () => {
      const id = await pending(fixture.database, fixture.rule);
      return () => fixture.database.requests.change(id, { type: 'cancel', by: 'test' });
    },
  ],
  [
    'an answer that is held',
    async () => {
      const id = await pending(fixture.database, fixture.rule);
      return () => fixture.database.requests.holdAnswer(id, { idToken: 'a.b.c' });
    },
  ],
  [
    'a notification',
    async () => {
      const id = await pending(fixture.database, fixture.rule);
      return () => fixture.database.requests.noteNotification(id, null);
    },
  ],
  ['shards that are taken', async () => () => fixture.database.shards.takeLapsed(randomUUID(), 1, 1)],
  [
    'a new token provider',
    async () => () =>
      fixture.database.tokenProviders.create({
        name: `Provider ${randomUUID()}`,
        issuer: 'https://op.example',
        profile: 'generic',
        metadata: null,
        trustedCertificates: [],
      }),
  ],
  [
    'a new rule',
    async () => () =>
      fixture.database.rules.create({
        definition: aDefinition({ tokenProviderId: fixture.provider.id, name: `Rule ${randomUUID()}` }),
        clientSecret: 'secret',
      }),
  ],
];

describe.each(transactions)('%s', (_what, prepare) => {
  it.each(['40001', '40P01'])(
    'is done again when the server rolled it back with %s, and takes effect once',
    async (state) => {
      const run = await prepare();
      await plan({ state, times: 2 });
      await run();
      expect(await failuresSoFar()).toBeGreaterThanOrEqual(3);
    },
  );

  it.each(['40001', '40P01', '55P03', '57014'])(
    'is given up in the end with %s, said to be not available, and leaves nothing behind',
    async (state) => {
      const run = await prepare();
      const before = await everything();
      await plan({ state, times: 1_000_000 });
      const error: unknown = await run().then(
        () => null,
        (failure: unknown) => failure,
      );
      expect(isUnavailable(error)).toBe(true);
      expect(await failuresSoFar()).toBeLessThan(30);
      expect(await everything()).toEqual(before);
      await plan(null);
      await run();
    },
  );
});

/** How many rows each table has, and what state requests are in. */
async function everything(): Promise<unknown> {
  const tables = [...watched, 'outbox', 'request_timeline', 'rule_versions'];
  const counts = tables.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ');
  const states = `(select sum(state_version) from authorization_requests) as states`;
  return (await other.query<Record<string, string>>(`select ${counts}, ${states}`)).rows[0];
}

describe('locks of somebody else', () => {
  it('a deadlock is resolved by doing ours again', async () => {
    const [first, second] = [
      await pending(fixture.database, fixture.rule),
      await pending(fixture.database, fixture.rule),
    ].sort();
    await other.query('begin');
    await other.query('select from authorization_requests where id = $1 for update', [second]);
    // One statement for both, which locks them in order.
    const ours = Promise.all(
      [first!, second!].map((id) => fixture.database.requests.change(id, { type: 'cancel', by: 'test' })),
    );
    await untilSomebodyWaits();
    const theirs = other.query('select from authorization_requests where id = $1 for update', [first]).then(
      () => 'survived',
      () => 'was the victim',
    );
    await theirs;
    await other.query('rollback');
    expect((await ours).map(({ kind }) => kind)).toEqual(['applied', 'applied']);
  });

  it('a lock that is not let go ends one change only; the others go on meanwhile', async () => {
    const [locked, free] = [
      await pending(fixture.database, fixture.rule),
      await pending(fixture.database, fixture.rule),
    ];
    const cancel = (id: string) => fixture.database.requests.change(id, { type: 'cancel', by: 'test' });
    await other.query('begin');
    await other.query('select from authorization_requests where id = $1 for update', [locked]);
    const order: string[] = [];
    const waits = cancel(locked).then(
      () => order.push('applied'),
      (error: unknown) => order.push(isUnavailable(error) ? 'not available' : String(error)),
    );
    await untilSomebodyWaits();
    await cancel(free).then(({ kind }) => order.push(`other ${kind}`));
    await waits;
    expect(order).toEqual(['other applied', 'not available']);
    await other.query('rollback');
    expect((await cancel(locked)).kind).toBe('applied');
  });

  it('a statement that is cancelled is said to be not available', async () => {
    const id = await pending(fixture.database, fixture.rule);
    await other.query('begin');
    await other.query('select from authorization_requests where id = $1 for update', [id]);
    const error: Promise<unknown> = fixture.database.requests.change(id, { type: 'cancel', by: 'test' }).then(
      () => null,
      (failure: unknown) => failure,
    );
    await untilSomebodyWaits();
    await other.query(`select pg_cancel_backend(pid) from pg_stat_activity where ${waiting}`);
    expect(isUnavailable(await error)).toBe(true);
    await other.query('rollback');
  });
});

const waiting = `wait_event_type = 'Lock' and datname = current_database() and pid <> pg_backend_pid()`;

async function untilSomebodyWaits(): Promise<void> {
  const watcher = new Client({ connectionString: fixture.url });
  await watcher.connect();
  try {
    for (;;) {
      const { rowCount } = await watcher.query(`select from pg_stat_activity where ${waiting}`);
      if (rowCount !== 0) return;
    }
  } finally {
    await watcher.end();
  }
}
