import { describe, expect, it } from '@jest/globals';
import type { PendingWork, RequestState, RequestStore } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import { AdoptPending } from './adopt-pending.js';
import { DatabaseClock } from './database-clock.js';
import { PendingAuthentications } from './pending-authentications.js';
import type { PollingSchedule } from './polling-schedule.js';
import type { ShardLeases } from './shard-leases.js';

type Which = Parameters<RequestStore['pending']>[0];

const idOf = (number: number): string => `01990000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;

const workOf = (requestId: string): PendingWork => ({
  requestId,
  shard: Number.parseInt(requestId.slice(-2), 16),
  rule: { id: 'rule', version: 1 },
  tokenProviderId: 'provider',
  clientId: 'client',
  requestedScope: 'openid',
  acrValues: [],
  releaseAccessToken: false,
  consumeWithinSeconds: 60,
  provesPerRequest: false,
  authReqId: `auth-${requestId}`,
  sentAt: new Date(0),
  expiresAt: new Date(60_000),
  intervalSeconds: 5,
  deliveryMode: 'poll',
  pingedAt: null,
  heldAnswer: null,
});

/** Adoption from a database of which a test says what it holds and when it answers; this instance owns shards 0–15. */
function adopting(
  database: { pending?: readonly string[]; pushed?: readonly string[]; answered?: Promise<unknown> } = {},
) {
  const asked: Which[] = [];
  const admitted: { id: string; spreadMs: number }[] = [];
  const dropped: string[] = [];
  const owned = Array.from({ length: 16 }, (_, shard) => shard);
  const pending = new PendingAuthentications();
  const add = (id: string, deliveryMode: PendingWork['deliveryMode'] = 'poll') =>
    pending.add(
      { ...workOf(id), deadlineMs: 60_000, intervalMs: 5000, takenOver: false, pinged: false },
      { ...workOf(id), rule: { id: deliveryMode, version: 1 }, deliveryMode },
    );
  const adopt = new AdoptPending({
    requests: {
      pending: async (which) => {
        asked.push(which);
        await database.answered;
        const wanted = (id: string) => ('ids' in which ? which.ids.includes(id) : !which.exceptIds?.includes(id));
        return { databaseNow: new Date(0), work: (database.pending ?? []).filter(wanted).map(workOf), unreadable: [] };
      },
      pushed: async (ids) => {
        asked.push({ ids });
        return ids.filter((id) => database.pushed?.includes(id));
      },
      states: async (ids) =>
        ids.map((id): RequestState => {
          const status = database.pending?.includes(id) ? 'pending' : 'approved';
          return { id, status, stateVersion: 2, decided: false };
        }),
    },
    pending,
    schedule: {
      admit: (work: PendingWork, spreadMs: number) => admitted.push({ id: work.requestId, spreadMs }),
      drop: (id: string) => dropped.push(id),
    } as unknown as PollingSchedule,
    leases: { owns: (shard: number) => owned.includes(shard), kept: owned } as unknown as ShardLeases,
    conclude: { run: async () => 'concluded' },
    clock: new DatabaseClock(() => 0),
    log: silentLog,
    nowMs: () => 0,
  });
  return { adopt, asked, admitted, dropped, pending, add, ids: () => admitted.map(({ id }) => id) };
}

describe('adopting', () => {
  it('ignores hints for shards of others', async () => {
    const { adopt, asked } = adopting({ pending: [idOf(200)] });
    await adopt.hinted(idOf(200));
    expect(asked).toEqual([]);
  });

  it('asks for all requests that were hinted at meanwhile in one statement', async () => {
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const { adopt, asked, ids } = adopting({ pending: [1, 2, 3].map(idOf), answered });
    const hints = [1, 2, 3, 2].map((number) => adopt.hinted(idOf(number)));
    answer();
    await Promise.all(hints);
    expect(asked).toEqual([{ ids: [idOf(1)] }, { ids: [idOf(2), idOf(3)] }]);
    expect(ids()).toEqual([1, 2, 3].map(idOf));
  });

  it('does not admit again what ended while the database answered', async () => {
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const { adopt, ids, pending, add } = adopting({ pending: [1, 2].map(idOf), answered });
    const slot = add(idOf(1));
    const swept = adopt.takeOver([1, 2]);
    pending.remove(slot);
    answer();
    await swept;
    expect(ids()).toEqual([idOf(2)]);
  });

  it('spreads what it takes over, by no more than an interval or a millisecond each (R68)', async () => {
    const { adopt, admitted } = adopting({ pending: Array.from({ length: 100 }, (_, number) => idOf(number)) });
    await adopt.takeOver([0]);
    expect(admitted).toHaveLength(100);
    expect(Math.max(...admitted.map(({ spreadMs }) => spreadMs))).toBeLessThanOrEqual(100);
    expect(new Set(admitted.map(({ spreadMs }) => spreadMs)).size).toBeGreaterThan(1);
  });

  it('finds, sweeping, what no hint told of, and drops what is not pending any more', async () => {
    const { adopt, ids, dropped, add } = adopting({ pending: [1, 2].map(idOf) });
    [1, 3].forEach((number) => add(idOf(number)));
    await adopt.sweep();
    expect(ids()).toEqual([idOf(2)]);
    expect(dropped).toEqual([idOf(3)]);
  });

  it('finds, sweeping, the answer that was pushed although no hint told of it, and asks after no other', async () => {
    const { adopt, asked, ids, add } = adopting({ pending: [1, 2, 3, 4].map(idOf), pushed: [1, 2, 3].map(idOf) });
    add(idOf(1));
    add(idOf(2), 'push');
    add(idOf(4), 'push');
    await adopt.sweep();
    expect(asked).toContainEqual({ ids: [idOf(2), idOf(4)] });
    expect(ids()).toEqual([idOf(2), idOf(3)]);
  });
});
