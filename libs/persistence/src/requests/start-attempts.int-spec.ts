import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import { openFixture, submitted, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import type { Database, NewAttempt } from '../index.js';

describe('the ledger of start calls', () => {
  let fixture: DatabaseFixture;
  let database: Database;
  let outside: Client;
  beforeAll(async () => {
    fixture = await openFixture();
    ({ database } = fixture);
    outside = new Client({ connectionString: fixture.url });
    await outside.connect();
  });
  afterAll(async () => {
    await outside.end();
    await fixture.close();
  });

  const anAttempt = (requestId: string, over: Partial<NewAttempt> = {}): NewAttempt => ({
    requestId,
    attemptId: uuid(),
    instanceId: 'worker-1',
    callTimeoutMs: 10_000,
    cause: null,
    ...over,
  });
  const lapse = (requestId: string) =>
    outside.query(`update start_attempts set lapses_at = clock_timestamp() where request_id = $1`, [requestId]);

  it('gives the worker what the call needs', async () => {
    const id = await submitted(database, fixture.rule, {
      loginHint: 'bob@example.com',
      userCode: '1234',
      bindingMessage: 'Pay',
    });
    expect(await database.requests.startWork(id)).toMatchObject({
      requestId: id,
      status: 'requested',
      rule: { id: fixture.rule.id, version: 1 },
      definition: fixture.rule.definition,
      loginHint: 'bob@example.com',
      bindingMessage: 'Pay',
      userCode: '1234',
    });
    expect(await database.requests.startWork(randomUUID())).toBeNull();
  });

  it('opens one attempt of many, over two processes', async () => {
    const other = await fixture.reopen();
    const id = await submitted(database, fixture.rule);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? database : other).requests.openAttempt(anAttempt(id))),
    );
    expect(results.filter(({ kind }) => kind === 'opened')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'in-progress')).toHaveLength(19);
  });

  it('counts attempts, and remembers when the first was sent', async () => {
    const id = await submitted(database, fixture.rule);
    const first = anAttempt(id);
    const opened = await database.requests.openAttempt(first);
    if (opened.kind !== 'opened') throw new Error(opened.kind);
    expect(opened).toMatchObject({ number: 1, firstSentAt: opened.sentAt });
    await database.requests.closeAttempt(first.attemptId, 'not-accepted');
    const again = await database.requests.openAttempt(anAttempt(id));
    expect(again).toMatchObject({ kind: 'opened', number: 2, firstSentAt: opened.sentAt, unknownAttempts: 0 });
  });

  it('tells the text as it is when the attempt is opened, not as it was read before', async () => {
    const id = await submitted(database, fixture.rule, { bindingMessage: 'Zahlung: 25 €' });
    const first = anAttempt(id);
    const { attemptId } = first;
    expect(await database.requests.openAttempt(first)).toMatchObject({ bindingMessage: 'Zahlung: 25 €' });
    const reword = { type: 'reword', attemptId, bindingMessage: 'Zahlung 25', requestHash: 'hash' } as const;
    expect(await database.requests.change(id, reword)).toMatchObject({ kind: 'applied' });
    expect(await database.requests.openAttempt(anAttempt(id))).toMatchObject({
      kind: 'opened',
      bindingMessage: 'Zahlung 25',
    });
  });

  it('handles an event once', async () => {
    const id = await submitted(database, fixture.rule);
    const cause = { consumer: 'ciba-worker', eventId: randomUUID() };
    const attempt = anAttempt(id, { cause });
    expect(await database.requests.openAttempt(attempt)).toMatchObject({ kind: 'opened' });
    await database.requests.closeAttempt(attempt.attemptId, 'not-accepted');
    expect(await database.requests.openAttempt(anAttempt(id, { cause }))).toEqual({ kind: 'duplicate' });
    expect(await database.requests.openAttempt(anAttempt(id))).toMatchObject({ kind: 'opened' });
  });

  it('opens an attempt anew for whoever did not learn that it is open, also when its time is up', async () => {
    const id = await submitted(database, fixture.rule);
    const attempt = anAttempt(id, { cause: { consumer: 'ciba-worker', eventId: randomUUID() } });
    const first = await database.requests.openAttempt(attempt);
    await lapse(id);
    const again = await database.requests.openAttempt(attempt);
    if (first.kind !== 'opened' || again.kind !== 'opened') throw new Error(again.kind);
    expect(again.number).toBe(1);
    expect(again.sentAt.getTime()).toBeGreaterThanOrEqual(first.sentAt.getTime());
    // Nobody else takes it for lapsed.
    expect(await database.requests.openAttempt(anAttempt(id))).toEqual({ kind: 'in-progress' });
    await database.requests.closeAttempt(attempt.attemptId, 'unknown');
    expect(await database.requests.openAttempt(attempt)).toEqual({ kind: 'duplicate' });
  });

  it('shows an attempt whose process died, and counts unknown answers', async () => {
    const id = await submitted(database, fixture.rule);
    const first = anAttempt(id);
    await database.requests.openAttempt(first);
    await lapse(id);
    const lapsed = { kind: 'lapsed', attemptId: first.attemptId, unknownAttempts: 1 };
    expect(await database.requests.openAttempt(anAttempt(id))).toEqual(lapsed);
    // It stays open until somebody says what it means.
    expect(await database.requests.openAttempt(anAttempt(id))).toEqual(lapsed);

    await database.requests.closeAttempt(first.attemptId, 'unknown');
    const second = anAttempt(id);
    expect(await database.requests.openAttempt(second)).toMatchObject({
      kind: 'opened',
      number: 2,
      unknownAttempts: 1,
    });
    await lapse(id);
    expect(await database.requests.openAttempt(anAttempt(id))).toMatchObject({ kind: 'lapsed', unknownAttempts: 2 });
    const failed = await database.requests.change(id, {
      type: 'fail-start',
      attemptId: second.attemptId,
      reason: 'initiation_unknown',
      providerError: null,
    });
    expect(failed).toMatchObject({ kind: 'applied' });
    const { rows } = await outside.query('select outcome from start_attempts where request_id = $1 order by number', [
      id,
    ]);
    expect(rows).toEqual([{ outcome: 'unknown' }, { outcome: 'unknown' }]);
  });

  it('opens none for a request that is not waiting for one', async () => {
    const id = await submitted(database, fixture.rule);
    await database.requests.change(id, { type: 'cancel', by: 'client' });
    const cause = { consumer: 'ciba-worker', eventId: randomUUID() };
    expect(await database.requests.openAttempt(anAttempt(id, { cause }))).toEqual({ kind: 'not-requested' });
    expect(await database.requests.openAttempt(anAttempt(randomUUID()))).toEqual({ kind: 'not-requested' });
  });

  it('finds what nobody has started, and nothing that somebody is at', async () => {
    const [untouched, open, lapsed, closed, ended] = await Promise.all(
      Array.from({ length: 5 }, () => submitted(database, fixture.rule)),
    );
    for (const id of [open!, lapsed!, closed!]) {
      const attempt = anAttempt(id);
      await database.requests.openAttempt(attempt);
      if (id === lapsed) await lapse(id);
      if (id === closed) await database.requests.closeAttempt(attempt.attemptId, 'not-accepted');
    }
    await database.requests.change(ended!, { type: 'cancel', by: 'client' });
    const found = async (olderThanSeconds: number) => {
      const ids = await database.requests.unstarted({ olderThanSeconds, limit: 1000, pausedForSeconds: 60 });
      return [untouched, open, lapsed, closed, ended].map((id) => ids.includes(id!));
    };
    expect(await found(0)).toEqual([true, false, true, true, false]);
    expect(await found(60)).toEqual([false, false, false, false, false]);
  });
});
