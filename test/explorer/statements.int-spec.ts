/** The models of `statements.ts` against the SQL that they stand for, case by case, on a real Postgres. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { shardOf, statuses, type Guard, type Status, type Transition } from '#lib/domain';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import { anEvidence, openFixture, pending, submitted, type DatabaseFixture } from '../support/postgres-builders.js';
import { isFencedOut, isFree, opening, passes, uncleanAfterRelease, uncleanAfterTaking } from './statements.js';

let fixture: DatabaseFixture;
let client: Client;
beforeAll(async () => {
  fixture = await openFixture();
  client = new Client({ connectionString: fixture.url });
  await client.connect();
}, 120_000);
afterAll(async () => {
  await client.end();
  await fixture.close();
}, 120_000);

const hourMs = 3_600_000;
const now = new Date();
const past = new Date(now.getTime() - hourMs);
const future = new Date(now.getTime() + hourMs);

/** One row as a case wants it; `null` where the database's own constraints leave no choice. */
interface Case {
  readonly status: Status;
  readonly expiresAt: Date | null;
  readonly consumedAt: Date | null;
  readonly consumeBy: Date | null;
  readonly heldAt: Date | null;
  readonly attemptOpen: boolean;
}

const rowsOf = (status: Status): Case[] => {
  const plain = { status, expiresAt: null, consumedAt: null, consumeBy: null, heldAt: null, attemptOpen: false };
  switch (status) {
    case 'requested':
      return [plain, { ...plain, attemptOpen: true }];
    case 'pending':
      return [past, future].flatMap((expiresAt) =>
        [null, new Date(past.getTime() - 1000), new Date(future.getTime() + 1000)].map((heldAt) => ({
          ...plain,
          expiresAt,
          heldAt,
        })),
      );
    case 'approved':
      return [past, future].flatMap((consumeBy) =>
        [null, new Date(past.getTime() - 1000)].map((consumedAt) => ({
          ...plain,
          expiresAt: future,
          consumeBy,
          consumedAt,
        })),
      );
    case 'denied':
    case 'expired':
    case 'cancelled':
    case 'failed':
      return [plain];
  }
};

/** Puts a fresh row into the state that a case describes. */
async function placed(row: Case): Promise<{ id: string; attemptId: string }> {
  const attemptId = uuid();
  const id = await submitted(fixture.database, fixture.rule);
  await client.query('alter table authorization_requests disable trigger authorization_requests__guard');
  const isAsked = row.status === 'pending' || row.status === 'approved';
  await client.query(
    `update authorization_requests set status = $2, expires_at = $3, consumed_at = $4, consume_by = $5,
      consumed_by = case when $4::timestamptz is null then null else 'somebody' end,
      reason = case when $2 = 'failed' then 'provider_error' end,
      sent_at = case when $6 then clock_timestamp() end, interval_seconds = case when $6 then 5 end,
      auth_req_id = case when $2 = 'pending' then '\\x01'::bytea end,
      auth_req_id_sha256 = case when $6 then decode(md5(id::text), 'hex') end,
      evidence = case when $2 = 'approved' then '{}'::json end,
      id_token_sha256 = case when $2 = 'approved' then id::text end,
      granted_scope = case when $2 = 'approved' then 'openid' end,
      ended_at = case when $2 in ('requested', 'pending') then null else clock_timestamp() end
    where id = $1`,
    [id, row.status, row.expiresAt, row.consumedAt, row.consumeBy, isAsked],
  );
  await client.query('alter table authorization_requests enable trigger authorization_requests__guard');
  if (row.heldAt) {
    await client.query(`insert into held_answers (request_id, answer, received_at) values ($1, '\\x01', $2)`, [
      id,
      row.heldAt,
    ]);
  }
  await client.query(
    `insert into start_attempts (id, request_id, number, instance_id, sent_at, lapses_at, closed_at, outcome)
     values ($1, $2, 1, 'w', clock_timestamp(), clock_timestamp(), $3, $4)`,
    [attemptId, id, row.attemptOpen ? null : now, row.attemptOpen ? null : 'unknown'],
  );
  return { id, attemptId };
}

const guards: readonly Guard[] = [
  'none',
  'before-deadline',
  'held-before-deadline',
  'after-deadline',
  'attempt-open',
  'consumable',
];

describe('apply_transitions judges like its model', () => {
  const cases = statuses.flatMap((status) =>
    rowsOf(status).flatMap((row) =>
      guards.flatMap((guard) => [status, 'denied' as const].map((from) => ({ row, guard, from }))),
    ),
  );

  it(`in ${cases.length} cases of row, guard and expected status`, async () => {
    const wrong: unknown[] = [];
    for (const { row, guard, from } of cases) {
      const { id, attemptId } = await placed(row);
      // Changes nothing but the version, so that only the judgement is seen.
      const transition: Transition = {
        requestId: id,
        from,
        to: from,
        guard,
        fence: null,
        changes: guard === 'attempt-open' ? { closedAttempt: { id: attemptId, outcome: 'refused' } } : {},
        timeline: [],
      };
      const modelled = passes(row, transition, { owner: null, epoch: 0 }, now);
      const { kind } = await fixture.database.requests.apply(transition);
      if (modelled !== (kind === 'applied')) wrong.push({ row, guard, from, modelled, kind });
    }
    expect(wrong).toEqual([]);
  }, 240_000);

  it('with a fence: owner and epoch have to be those of the shard', async () => {
    const wrong: unknown[] = [];
    for (const owner of [null, 'a', 'b']) {
      for (const epoch of [1, 2]) {
        for (const fence of [null, { owner: 'a', epoch: 1 }, { owner: 'a', epoch: 2 }]) {
          const id = await pending(fixture.database, fixture.rule);
          const shard = shardOf(id);
          await client.query('update poller_shards set owner = $2, epoch = $3 where shard = $1', [shard, owner, epoch]);
          const transition: Transition = {
            requestId: id,
            from: 'pending',
            to: 'pending',
            guard: 'none',
            fence: fence && { shard, ...fence },
            changes: {},
            timeline: [],
          };
          const fencedOut = isFencedOut(transition, { owner, epoch });
          const result = await fixture.database.requests.apply(transition);
          const said = result.kind === 'refused' && result.fenced;
          if (said !== fencedOut || (result.kind === 'applied') === fencedOut)
            wrong.push({ owner, epoch, fence, result });
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  it('lets no ID token and no auth_req_id serve two requests', async () => {
    const evidence = anEvidence();
    const [first, second] = [
      await pending(fixture.database, fixture.rule),
      await pending(fixture.database, fixture.rule),
    ];
    const approval = (requestId: string): Transition => ({
      requestId,
      from: 'pending',
      to: 'approved',
      guard: 'none',
      fence: null,
      changes: { evidence, grantedScope: 'openid', consumeWithinSeconds: 60 },
      timeline: [],
    });
    expect((await fixture.database.requests.apply(approval(first))).kind).toBe('applied');
    expect((await fixture.database.requests.apply(approval(second))).kind).toBe('evidence-reused');
  });
});

describe('open_attempts opens like its model', () => {
  const cases = (['requested', 'pending', 'cancelled'] as const).flatMap((status) =>
    [true, false].flatMap((duplicate) =>
      (['none', 'in-time', 'lapsed'] as const).map((open) => ({ status, duplicate, open })),
    ),
  );
  it.each(cases)('$status, duplicate $duplicate, open attempt $open', async ({ status, duplicate, open }) => {
    const { id, attemptId } = await placed({ ...rowsOf(status)[0]!, attemptOpen: open !== 'none' });
    const lapses = open === 'lapsed' ? past : future;
    await client.query('update start_attempts set lapses_at = $2 where id = $1', [attemptId, lapses]);
    const cause = { consumer: 'ciba-worker', eventId: randomUUID() };
    if (duplicate)
      await client.query('insert into inbox (consumer, event_id) values ($1, $2)', [cause.consumer, cause.eventId]);
    const request = { requestId: id, attemptId: uuid(), instanceId: 'w', callTimeoutMs: 1000, cause };
    const { kind } = await fixture.database.requests.openAttempt(request);
    expect(kind).toBe(opening({ requested: status === 'requested', duplicate, open }));
  });
});

describe('leases change hands like their model', () => {
  const shardWith = async (owner: string | null, lapsed: boolean, unclean: Date | null) => {
    await client.query(`update poller_shards set owner = 'other', lease_until = $1`, [future]);
    await client.query(
      'update poller_shards set owner = $1, lease_until = $2, unclean_takeover_at = $3 where shard = 0',
      [owner, lapsed ? past : future, unclean],
    );
  };
  const unclean = async (): Promise<Date | null> =>
    (await client.query<{ at: Date | null }>('select unclean_takeover_at as at from poller_shards where shard = 0'))
      .rows[0]!.at;
  /** New moments are the database's own: only whether it is a new one can be compared. */
  const like = (at: Date | null) => (at === null || at.getTime() === past.getTime() ? at : 'new');

  it.each(
    [null, 'me', 'other'].flatMap((owner) =>
      [true, false].flatMap((lapsed) => [null, past].map((before) => ({ owner, lapsed, before }))),
    ),
  )('taking: owner $owner, lapsed $lapsed, unclean before $before', async ({ owner, lapsed, before }) => {
    await shardWith(owner, lapsed, before);
    const { taken } = await fixture.database.shards.takeLapsed('me', 1, 1000);
    const free = isFree(owner, lapsed, 'me');
    expect(taken.length === 1).toBe(free);
    expect(like(await unclean())).toEqual(like(free ? uncleanAfterTaking(owner, before, now) : before));
  });

  it.each([true, false].flatMap((clean) => [null, past].map((before) => ({ clean, before }))))(
    'releasing: clean $clean, unclean before $before',
    async ({ clean, before }) => {
      await shardWith('me', false, before);
      await fixture.database.shards.release('me', [0], clean);
      expect(like(await unclean())).toEqual(like(uncleanAfterRelease(clean, before, now)));
    },
  );
});
