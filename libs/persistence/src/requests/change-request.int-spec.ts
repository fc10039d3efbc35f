import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decide, isTerminal, type Command, type Transition } from '#lib/domain';
import { Client } from 'pg';
import {
  anEvidence,
  approve,
  openFixture,
  pending,
  submitted,
  type DatabaseFixture,
} from '../../../../test/support/postgres-builders.js';
import type { Database } from '../index.js';

describe('changing requests', () => {
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

  const status = async (id: string) => (await database.requests.snapshot(id))?.status;
  const column = async (id: string, name: string): Promise<unknown> =>
    (await outside.query<{ value: unknown }>(`select ${name} as value from authorization_requests where id = $1`, [id]))
      .rows[0]!.value;
  const untilWaiting = async (sessions: number): Promise<void> => {
    const waiting = `select count(distinct pid)::integer as count from pg_locks where not granted
      and pid in (select pid from pg_locks where relation = 'authorization_requests'::regclass)`;
    while ((await outside.query<{ count: number }>(waiting)).rows[0]!.count < sessions);
  };
  const eventTypes = async (id: string): Promise<string[]> =>
    (
      await outside.query<{ type: string }>(
        `select event->>'type' as type from outbox where event->>'subject' = $1 order by id`,
        [id],
      )
    ).rows.map(({ type }) => type);

  it('takes a request through its life, each step with its timeline entry and its event', async () => {
    const id = await pending(database, fixture.rule);
    expect(await database.requests.change(id, approve())).toMatchObject({ kind: 'applied', stateVersion: 3 });
    expect(await database.requests.change(id, { type: 'consume', by: 'client', key: null })).toMatchObject({
      kind: 'applied',
      stateVersion: 4,
    });
    expect(await eventTypes(id)).toEqual([
      'assent.authorization.requested.v1',
      'assent.authorization.initiated.v1',
      'assent.authorization.approved.v1',
    ]);
    expect((await database.requests.timeline(id, null))!.map(({ type }) => type)).toEqual([
      'requested',
      'initiated',
      'approved',
      'consumed',
    ]);
  });

  it('lets exactly one of approval, denial and cancellation win, over two processes (R114)', async () => {
    const other = await fixture.reopen();
    const ids = await Promise.all(Array.from({ length: 20 }, () => pending(database, fixture.rule)));
    const commands: Command[] = [
      approve(),
      { type: 'deny', providerError: null, polls: 1 },
      { type: 'cancel', by: 'client' },
      { type: 'fail', reason: 'outcome_unknown', providerError: null, fence: null, polls: 1 },
    ];
    for (const id of ids) {
      const own = commands.map((command) =>
        command.type === 'approve' ? approve({ evidence: anEvidence() }) : command,
      );
      const results = await Promise.all(
        own.map((command, index) => (index % 2 ? database : other).requests.change(id, command)),
      );
      expect(results.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'refused')).toHaveLength(3);
      expect(await eventTypes(id)).toHaveLength(3);
      expect(isTerminal((await status(id))!)).toBe(true);
    }
  });

  it('refuses an approval whose deadline passed while it waited for the lock', async () => {
    const id = await pending(database, fixture.rule, { expiresInSeconds: 1 });
    await outside.query('begin');
    await outside.query('select from authorization_requests where id = $1 for update', [id]);
    const evidence = anEvidence();
    const approval = database.requests.change(id, approve({ evidence }));
    await outside.query(`select pg_sleep(2)`);
    await outside.query('commit');

    expect(await approval).toMatchObject({ kind: 'applied', transition: { to: 'expired' } });
    expect(await status(id)).toBe('expired');
    expect(await column(id, 'late_evidence')).toEqual(evidence);
    expect(await column(id, 'evidence')).toBeNull();
  });

  it('refuses an approval that waited while the row was changed under it', async () => {
    const id = await pending(database, fixture.rule);
    await outside.query('begin');
    await outside.query(
      `update authorization_requests set status = 'cancelled', state_version = state_version + 1, auth_req_id = null,
        ended_at = clock_timestamp() where id = $1`,
      [id],
    );
    const evidence = anEvidence();
    const approval = database.requests.change(id, approve({ evidence }));
    await outside.query('select pg_sleep(0.2)');
    await outside.query('commit');

    expect(await approval).toMatchObject({ kind: 'refused', refusal: { refused: 'already_decided' } });
    expect(await column(id, 'late_evidence')).toEqual(evidence);
  });

  it('rewords only while the attempt that the provider refused is open: another one may be sending the old text', async () => {
    const id = await submitted(database, fixture.rule);
    const attempts = [randomUUID(), randomUUID()] as const;
    const open = (attemptId: string) =>
      database.requests.openAttempt({ requestId: id, attemptId, instanceId: 'w', callTimeoutMs: 10_000, cause: null });
    const reword = (attemptId: string): Command => ({
      type: 'reword',
      attemptId,
      bindingMessage: 'Pay',
      requestHash: 'h',
    });
    await open(attempts[0]);
    await database.requests.closeAttempt(attempts[0], 'unknown', 0);
    await open(attempts[1]);

    expect(await database.requests.change(id, reword(attempts[0]))).toMatchObject({
      kind: 'refused',
      refusal: { refused: 'attempt_closed' },
    });
    expect(await column(id, 'request_hash')).toBe('hash');
    expect(await database.requests.change(id, reword(attempts[1]))).toMatchObject({ kind: 'applied' });
    expect(await column(id, 'request_hash')).toBe('h');
  });

  it('expires only what is due by the clock of the database', async () => {
    const due = await pending(database, fixture.rule, { expiresInSeconds: 0 });
    const notDue = await pending(database, fixture.rule, { expiresInSeconds: 60 });
    const expire: Command = { type: 'expire', polls: 0 };
    expect(await database.requests.change(due, expire)).toMatchObject({ kind: 'applied' });
    expect(await database.requests.change(notDue, expire)).toMatchObject({
      kind: 'refused',
      refusal: { refused: 'not_due' },
    });
    // A caller whose clock is ahead asks the domain wrongly; the guard under the lock still says no.
    const snapshot = (await database.requests.snapshot(notDue))!;
    const early = decide(snapshot, expire, new Date(Date.now() + 3_600_000)) as Transition;
    expect(await database.requests.apply(early)).toMatchObject({ kind: 'refused', fenced: false });
    expect(await status(notDue)).toBe('pending');
  });

  it('approves late with an answer that was held in time, and not with one that came late', async () => {
    const inTime = await pending(database, fixture.rule, { expiresInSeconds: 1 });
    const late = await pending(database, fixture.rule, { expiresInSeconds: 1 });
    await database.requests.holdAnswer(inTime, { idToken: 'in-time' });
    await outside.query('select pg_sleep(1.1)');
    await database.requests.holdAnswer(late, { idToken: 'late' });

    expect(await database.requests.change(inTime, approve({ held: true }))).toMatchObject({
      transition: { to: 'approved' },
    });
    expect(await database.requests.change(late, approve({ held: true }))).toMatchObject({
      transition: { to: 'expired' },
    });
  });

  it('keeps the first held answer, sealed, until the request ends', async () => {
    const id = await pending(database, fixture.rule);
    await database.requests.holdAnswer(id, { idToken: 'canary-first' });
    await database.requests.holdAnswer(id, { idToken: 'canary-second' });
    const { work } = await database.requests.pending({ ids: [id] });
    expect(work[0]!.heldAnswer!.answer).toEqual({ idToken: 'canary-first' });

    await database.requests.change(id, { type: 'cancel', by: 'client' });
    await database.requests.holdAnswer(id, { idToken: 'canary-third' });
    const { rowCount } = await outside.query('select from held_answers where request_id = $1', [id]);
    expect(rowCount).toBe(0);
  });

  it('keeps no answer that was stored while the end of its request waited for the row', async () => {
    const id = await pending(database, fixture.rule);
    await outside.query('begin');
    await outside.query('select from authorization_requests where id = $1 for update', [id]);
    const storing = database.requests.holdAnswer(id, { idToken: 'canary' });
    await untilWaiting(1);
    // The statement of the end has begun, and looks at the tables as they are now, before the answer is committed.
    const ending = database.requests.change(id, { type: 'cancel', by: 'client' });
    await untilWaiting(2);
    await outside.query('commit');
    await storing;
    expect(await ending).toMatchObject({ kind: 'applied' });
    expect((await outside.query('select from held_answers where request_id = $1', [id])).rowCount).toBe(0);
  });

  it('never lets one ID token approve two requests, in one batch or in two', async () => {
    const evidence = anEvidence();
    const ids = await Promise.all(Array.from({ length: 8 }, () => pending(database, fixture.rule)));
    const innocent = await pending(database, fixture.rule);
    const [last, ...results] = await Promise.all([
      database.requests.change(innocent, approve()),
      ...ids.map((id) => database.requests.change(id, approve({ evidence }))),
    ]);
    expect(last.kind).toBe('applied');
    expect(results.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'evidence-reused')).toHaveLength(7);
  });

  it('never lets one auth_req_id of a provider serve two requests', async () => {
    const authReqId = randomUUID();
    await pending(database, fixture.rule, { authReqId });
    await expect(pending(database, fixture.rule, { authReqId })).rejects.toThrow('evidence-reused');
    await expect(
      pending(database, fixture.rule, { authReqId, request: { tokenProviderId: randomUUID() } }),
    ).resolves.toEqual(expect.any(String));
  });

  it('keeps late evidence once, and does not take a repeated approval for late', async () => {
    const cancelled = await pending(database, fixture.rule);
    await database.requests.change(cancelled, { type: 'cancel', by: 'client' });
    const [first, second] = [anEvidence(), anEvidence()];
    await database.requests.recordLateEvidence(cancelled, first);
    await database.requests.recordLateEvidence(cancelled, second);
    expect(await column(cancelled, 'late_evidence')).toEqual(first);

    const approved = await pending(database, fixture.rule);
    const approval = approve();
    await database.requests.change(approved, approval);
    expect(await database.requests.change(approved, approval)).toMatchObject({ kind: 'refused' });
    expect(await column(approved, 'late_evidence')).toBeNull();

    // What came late for one request must not approve another.
    const another = await pending(database, fixture.rule);
    expect(await database.requests.change(another, approve({ evidence: first }))).toEqual({ kind: 'evidence-reused' });
  });

  it('makes a fenced change only for the owner of the shard', async () => {
    const { databaseNow, taken } = await database.shards.takeLapsed('poller-1', 256, 60_000);
    expect(databaseNow).toBeInstanceOf(Date);
    const expire = (id: string, owner: string, epochOffset: number): Command => {
      const shard = Number.parseInt(id.slice(-2), 16);
      const { epoch } = taken.find((one) => one.shard === shard)!;
      return { type: 'provider-expired', fence: { shard, owner, epoch: epoch + epochOffset }, polls: 3 };
    };
    const id = await pending(database, fixture.rule);
    expect(await database.requests.change(id, expire(id, 'poller-2', 0))).toEqual({ kind: 'fenced-out' });
    expect(await database.requests.change(id, expire(id, 'poller-1', -1))).toEqual({ kind: 'fenced-out' });
    expect(await status(id)).toBe('pending');
    expect(await database.requests.change(id, expire(id, 'poller-1', 0))).toMatchObject({ kind: 'applied' });
  });

  it('sees a take-over that was committed while it waited for the shard', async () => {
    const id = await pending(database, fixture.rule);
    const shard = Number.parseInt(id.slice(-2), 16);
    await outside.query(`update poller_shards set owner = 'old', epoch = 5 where shard = $1`, [shard]);
    await outside.query('begin');
    await outside.query(`update poller_shards set owner = 'new', epoch = 6 where shard = $1`, [shard]);
    const fenced = database.requests.change(id, {
      type: 'provider-expired',
      fence: { shard, owner: 'old', epoch: 5 },
      polls: 1,
    });
    await outside.query('select pg_sleep(0.2)');
    await outside.query('commit');
    expect(await fenced).toEqual({ kind: 'fenced-out' });
  });

  it('lets one of 64 consumers have the approval', async () => {
    const other = await fixture.reopen();
    const releasedToken = {
      value: 'token',
      tokenType: 'Bearer',
      expiresAt: new Date(Date.now() + 60_000),
      scope: 'openid',
    };
    const id = await pending(database, fixture.rule);
    await database.requests.change(id, approve({ releasedToken }));
    expect(await database.requests.consumed(id, null)).toBeNull();

    const results = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        (index % 2 ? database : other).requests.change(id, { type: 'consume', by: 'client', key: `key-${index}` }),
      ),
    );

    expect(results.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
    expect(
      results.filter((result) => result.kind === 'refused' && result.refusal.refused === 'already_consumed'),
    ).toHaveLength(63);
    const winner = results.findIndex(({ kind }) => kind === 'applied');
    expect(await database.requests.consumed(id, null)).toMatchObject({
      consumeKey: `key-${winner}`,
      accessToken: releasedToken,
    });
  });

  it('lets nobody consume an approval that has lapsed', async () => {
    const id = await pending(database, fixture.rule);
    await database.requests.change(id, approve({ consumeWithinSeconds: 1 }));
    await outside.query('select pg_sleep(1.1)');
    expect(await database.requests.change(id, { type: 'consume', by: 'client', key: null })).toMatchObject({
      refusal: { refused: 'approval_lapsed' },
    });
  });

  it('wipes what has served its purpose (R22)', async () => {
    const id = await submitted(database, fixture.rule, { userCode: '1234' });
    expect(await column(id, 'user_code')).not.toBeNull();
    await database.requests.change(id, { type: 'cancel', by: 'client' });
    expect(await column(id, 'user_code')).toBeNull();

    const asked = await pending(database, fixture.rule);
    await database.requests.change(asked, { type: 'deny', providerError: null, polls: 1 });
    expect(await column(asked, 'auth_req_id')).toBeNull();
  });

  it('keeps evidence and errors that no text column could hold', async () => {
    const evidence = anEvidence({ subject: 'a\u0000b', acr: '\ud800' });
    const approved = await pending(database, fixture.rule);
    expect(await database.requests.change(approved, approve({ evidence }))).toMatchObject({ kind: 'applied' });
    expect(await column(approved, 'evidence')).toEqual(evidence);
    expect((await database.requests.timeline(approved, null))!.at(-1)!.detail).toMatchObject({ acr: '\ud800' });

    const denied = await pending(database, fixture.rule);
    const providerError = { code: 'access_denied', description: 'a\u0000b' };
    await database.requests.change(denied, { type: 'deny', providerError, polls: 1 });
    expect(await database.requests.view(denied, null)).toMatchObject({ providerError });
  });

  it('says so when there is no such request', async () => {
    const cancel: Command = { type: 'cancel', by: 'client' };
    expect(await database.requests.change(randomUUID(), cancel)).toEqual({ kind: 'gone' });
    expect(await database.requests.change('no-uuid', cancel)).toEqual({ kind: 'gone' });
    expect(await database.requests.snapshot(randomUUID())).toBeNull();
  });

  it('changes a batch of many requests, the refused among them, each on its own merits', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => pending(database, fixture.rule)));
    const missing = randomUUID();
    const expire = (requestId: string): Transition => ({
      requestId,
      from: 'pending',
      to: 'expired',
      guard: 'after-deadline',
      fence: null,
      changes: {},
      timeline: [],
    });
    const deny = (requestId: string): Transition => ({ ...expire(requestId), to: 'denied', guard: 'none' });
    const results = await Promise.all([
      ...ids.map((id, index) => database.requests.apply(index % 2 ? deny(id) : expire(id))),
      database.requests.apply(deny(missing)),
    ]);
    expect(results.filter(({ kind }) => kind === 'applied')).toHaveLength(25);
    expect(results.filter(({ kind }) => kind === 'refused')).toHaveLength(25);
    expect(results.at(-1)).toEqual({ kind: 'gone' });
  });
});
