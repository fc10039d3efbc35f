/**
 * What one request costs, counted and not timed: statements and messages. A figure here may go down. Who makes one go up
 * has to say why it is worth it: each statement is a round trip, and requests that come together share it.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

let fixture: DatabaseFixture;
let database: Database;
const counted: string[] = [];
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the client that it is taken from
const original = pg.Client.prototype.query;

beforeAll(async () => {
  fixture = await openFixture();
  ({ database } = fixture);
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [query] = args as [{ name?: string } | string];
    counted.push(typeof query === 'string' ? query : (query.name ?? 'unnamed'));
    return (original as (...all: unknown[]) => unknown).apply(this, args);
  } as typeof original;
}, 120_000);
afterAll(async () => {
  pg.Client.prototype.query = original;
  await fixture.close();
}, 60_000);

/** The statements that some work sends, one after the other. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  counted.length = 0;
  await work();
  return counted.map((name) => name.replace(/^assent_/, ''));
}

/** So many at once are as many as there are in one batch: none of them waits for another one. */
const fifty = <Result>(work: () => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: 50 }, () => work()));
const callbackUrl = 'https://shop.example/callbacks';
const pendingOnes = () => fifty(() => pending(database, fixture.rule, { request: { callbackUrl } }));
const approvedOnes = async () => {
  const ids = await pendingOnes();
  await Promise.all(ids.map((id) => database.requests.change(id, approve({ evidence: anEvidence() }))));
  return ids;
};

/** Records the decision, and answers the callback that was leased with it. */
async function decide(id: string, callbackLeaseSeconds: number | null = null) {
  const context = (await database.decisions.context(id))!;
  const cause = { consumer: 'decision-service', eventId: randomUUID() };
  return (await database.decisions.recordAndLease({ decision: aDecision(context), cause, callbackLeaseSeconds }))
    .callback;
}

async function delivered(ids: readonly string[]): Promise<void> {
  const answer = { at: new Date(), durationMs: 1, status: 204, problem: null, outcome: 'delivered' as const };
  await database.deliveries.finish(ids.map((id) => ({ id, ...answer })));
}

describe('requests that come together share their statements', () => {
  it('one to accept them', async () => {
    expect(await statementsOf(() => fifty(() => submitted(database, fixture.rule)))).toEqual(['insert_requests']);
  });

  it('three to start them: read, write ahead, acknowledge', async () => {
    const ids = await fifty(() => submitted(database, fixture.rule));
    const start = async (requestId: string) => {
      await database.requests.startWork(requestId);
      const attemptId = uuid();
      const attempt = { requestId, attemptId, instanceId: 'worker', callTimeoutMs: 1000, cause: null };
      const opened = await database.requests.openAttempt(attempt);
      if (opened.kind !== 'opened') throw new Error(opened.kind);
      const { sentAt } = opened;
      const acknowledged = { authReqId: randomUUID(), sentAt, expiresInSeconds: 120, intervalSeconds: 5 };
      await database.requests.change(requestId, { type: 'acknowledge', attemptId, ...acknowledged });
    };
    expect(await statementsOf(() => Promise.all(ids.map(start)))).toEqual([
      'select_start_works',
      'open_attempts',
      'apply_transitions',
    ]);
  });

  it('one to take them over for polling, which writes nothing', async () => {
    const ids = await pendingOnes();
    await database.requests.pending({ ids });
    expect(await statementsOf(() => database.requests.pending({ ids }))).toEqual(['select_pending_by_ids']);
  });

  it.each([
    ['approve', () => approve({ evidence: anEvidence() })],
    ['deny', () => ({ type: 'deny', providerError: null, polls: 1 }) as const],
    ['cancel', () => ({ type: 'cancel', by: 'shop' }) as const],
  ])('one to %s them', async (_what, command) => {
    const ids = await pendingOnes();
    const end = () => Promise.all(ids.map((id) => database.requests.change(id, command())));
    expect(await statementsOf(end)).toEqual(['apply_transitions']);
  });

  it('two to record the decisions about them, and one to deliver all of it', async () => {
    const ids = await approvedOnes();
    const tell = async () => {
      const callbacks = await Promise.all(ids.map((id) => decide(id, 60)));
      await delivered(callbacks.map((callback) => callback!.id));
    };
    expect(await statementsOf(tell)).toEqual(['select_decision_contexts', 'record_decisions', 'finish_deliveries']);
  });

  it('one more to deliver what has to wait for its turn', async () => {
    const ids = await approvedOnes();
    expect(await statementsOf(() => Promise.all(ids.map((id) => decide(id))))).toEqual([
      'select_decision_contexts',
      'record_decisions',
    ]);
    const deliver = async () => {
      const work = await database.deliveries.claim({ limit: 100, leaseSeconds: 60 });
      expect(work).toHaveLength(ids.length);
      await delivered(work.map(({ id }) => id));
    };
    expect(await statementsOf(deliver)).toEqual(['claim_deliveries', 'finish_deliveries']);
  });

  it('three to use the approvals: show, use, show what was released', async () => {
    const ids = await approvedOnes();
    await Promise.all(ids.map((id) => decide(id)));
    const use = async (id: string) => {
      await database.requests.view(id, null);
      await database.requests.change(id, { type: 'consume', by: 'shop', key: null });
      await database.requests.consumed(id, null);
    };
    expect(await statementsOf(() => Promise.all(ids.map(use)))).toEqual([
      'select_views',
      'apply_transitions',
      'select_consumed',
    ]);
  });

  it('one to publish what came of them', async () => {
    const ids = Array.from({ length: 50 }, () => uuid());
    expect(await statementsOf(() => database.outbox.settle(ids))).toEqual(['settle_outbox']);
  });
});

it('four messages tell of the life of an approval', async () => {
  const [id] = await approvedOnes();
  await decide(id!);
  const outside = new pg.Client({ connectionString: fixture.url });
  await outside.connect();
  const { rows } = await outside
    .query<{ routing_key: string }>(`select routing_key from outbox where event->>'subject' = $1 order by id`, [id])
    .finally(() => outside.end());
  expect(rows.map((row) => row.routing_key)).toEqual([
    'authorization.requested',
    'authorization.initiated',
    'authorization.approved',
    'decision.approved',
  ]);
});
