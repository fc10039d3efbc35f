import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { OwnedShard, PendingWork, ShardStore, StoredRegistration } from '#lib/persistence';
import type { PollOutcome } from '#lib/ciba';
import { silentLog } from '#lib/runtime';
import { createPollingEngine } from '../../../test/support/polling-engine.js';
import { AdoptPending } from './adopt-pending.js';
import { afterPoll } from './after-poll.js';
import type { AnswersInHand } from './answers-in-hand.js';
import type { ConcludeAuthentication } from './conclude-authentication.js';
import { DatabaseClock } from './database-clock.js';
import { PendingAuthentications } from './pending-authentications.js';
import type { PollAuthentication } from './poll-authentication.js';
import type { PollerMetrics } from './poller-metrics.js';
import { PollingSchedule } from './polling-schedule.js';
import { ProviderQueues } from './provider-queues.js';
import { QuiesceShards } from './quiesce-shards.js';
import { ShardLeases } from './shard-leases.js';

const shard = 7;
const work: PendingWork = {
  requestId: '01990000-0000-7000-8000-000000000007',
  shard,
  rule: { id: 'rule', version: 1 },
  tokenProviderId: 'provider',
  clientId: 'client',
  requestedScope: 'openid',
  acrValues: [],
  releaseAccessToken: false,
  consumeWithinSeconds: 60,
  provesPerRequest: false,
  authReqId: 'auth-req-id',
  sentAt: new Date(1000),
  expiresAt: new Date(3_600_000),
  intervalSeconds: 3000,
  deliveryMode: 'poll',
  pingedAt: null,
  heldAnswer: null,
};

/** A schedule over one shard, whose lease a test gives and takes; nothing is ever due in it. */
async function scheduling() {
  let owned: OwnedShard[] = [{ shard, epoch: 1, uncleanTakeoverAt: null }];
  const shards: ShardStore = {
    renew: async () => ({
      databaseNow: new Date(0),
      leaseUntil: new Date(10_000),
      owned,
      liveInstances: 1,
      unowned: 0,
    }),
    takeLapsed: async () => ({ databaseNow: new Date(0), taken: [] }),
    release: async () => undefined,
    leave: async () => undefined,
  };
  const nowMs = () => 0;
  const clock = new DatabaseClock(nowMs);
  const leases = new ShardLeases({ shards, clock, owner: 'poller-1', leaseMs: 10_000, marginMs: 3000, nowMs });
  const pending = new PendingAuthentications();
  const schedule = new PollingSchedule({
    pending,
    leases,
    clock,
    queues: new ProviderQueues({ maxInFlight: 1, maxInFlightPerProvider: 1, pollsPerSecondPerProvider: 1 }),
    requests: { raiseInterval: async () => undefined },
    // Nothing is due, so nobody polls, verifies or concludes.
    poll: {} as PollAuthentication,
    answers: { forget: () => undefined } as unknown as AnswersInHand,
    conclude: {} as ConcludeAuthentication,
    metrics: {} as PollerMetrics,
    log: silentLog,
    nowMs,
  });
  await leases.renew();
  return {
    schedule,
    quiesce: new QuiesceShards(pending, schedule),
    leases,
    pending,
    comesBack: async (uncleanTakeoverAt: Date) => {
      owned = [{ shard, epoch: 3, uncleanTakeoverAt }];
      await leases.renew();
    },
  };
}

describe('a shard that is given away', () => {
  it('takes no request in any more: what is known of it would be out of date when the shard comes back', async () => {
    const { schedule, quiesce, leases, pending, comesBack } = await scheduling();
    leases.startLeaving([shard]);
    const { clean } = await quiesce.run([shard], 1000);
    // A hint that comes before the database has heard of the release.
    schedule.admit(work);
    await leases.release(clean, true);
    await comesBack(new Date(2000));
    schedule.admit(work);

    expect(pending.read(pending.find(work.requestId)!).takenOver).toBe(true);
    schedule.stop();
  });
});

describe('a request that is cancelled', () => {
  it('is not taken in by a reading that began before, whichever hint of the two is heard first', async () => {
    const { schedule, leases, pending } = await scheduling();
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const adopt = new AdoptPending({
      requests: {
        pending: async () => {
          await answered;
          return { databaseNow: new Date(0), work: [work], unreadable: [] };
        },
        states: async () => [],
        pushed: async () => [],
      },
      pending,
      schedule,
      leases,
      conclude: { run: async () => 'concluded' },
      clock: new DatabaseClock(() => 0),
      log: silentLog,
      nowMs: () => 0,
    });
    const takingOver = adopt.takeOver([shard]);
    schedule.drop(work.requestId);
    answer();
    await takingOver;

    expect(pending.find(work.requestId)).toBeNull();
    schedule.stop();
  });
});

describe('the resolution poll', () => {
  it('is followed by none sooner than an interval, while the deadline has not come by the database’s clock', async () => {
    const nowMs = () => performance.now();
    const intervalMs = 1000;
    const clock = new DatabaseClock(nowMs);
    clock.observe(new Date(0), nowMs());
    const pending = new PendingAuthentications();
    const fence = { shard, owner: 'poller-1', epoch: 2 };
    const asked: number[] = [];
    const poll: Pick<PollAuthentication, 'run'> = {
      run: async (request, { spacingMs }) => {
        const sentAtMs = nowMs();
        asked.push(sentAtMs);
        const polled = { ...request, fence, sentAtMs, spacingMs: spacingMs() };
        const step = afterPoll(polled, { kind: 'pending', retryAfterSeconds: null }, nowMs());
        return { outcome: 'pending', health: { kind: 'answered' }, step };
      },
    };
    await new Promise<void>((ended) => {
      let ends = 0;
      const schedule = new PollingSchedule({
        pending,
        clock,
        // An owner before us has died: before the request expires, the provider is asked once more.
        leases: {
          keeps: () => true,
          maySend: () => true,
          fence: () => fence,
          isTakenOver: () => true,
        } as unknown as ShardLeases,
        queues: new ProviderQueues({ maxInFlight: 1, maxInFlightPerProvider: 1, pollsPerSecondPerProvider: 1000 }),
        requests: { raiseInterval: async () => undefined },
        poll: poll as PollAuthentication,
        answers: { forget: () => undefined } as unknown as AnswersInHand,
        conclude: {
          run: async () => {
            if (ends++ === 0) return 'not-due';
            schedule.stop();
            ended();
            return 'concluded';
          },
        },
        metrics: { sent: () => undefined, ended: () => undefined } as unknown as PollerMetrics,
        log: silentLog,
        nowMs,
      });
      schedule.admit({ ...work, sentAt: new Date(0), expiresAt: new Date(100), intervalSeconds: intervalMs / 1000 });
    });

    const waits = asked.slice(1).map((atMs, before) => atMs - asked[before]!);
    expect(waits).toHaveLength(2);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(intervalMs);
  });
});

describe('polls that end in one turn of the event loop', () => {
  it('are followed by others together, once all of them have ended', async () => {
    const answers: (() => void)[] = [];
    let full = () => undefined as void;
    const twoInFlight = new Promise<void>((resolve) => (full = resolve));
    const poll = () =>
      new Promise<PollOutcome>((resolve) => {
        answers.push(() => resolve({ kind: 'pending', retryAfterSeconds: null }));
        if (answers.length === 2) full();
      });
    const registration = { refusedCalls: [], fapi: false } as unknown as StoredRegistration;
    const limits = { maxInFlight: 2, maxInFlightPerProvider: 2, pollsPerSecondPerProvider: 1_000_000 };
    const engine = await createPollingEngine({ poll }, registration, limits);
    for (let at = 0; at < 6; at++) engine.admit(at, { intervalMs: 1, spreadMs: 0 });
    await twoInFlight;
    // The others are due by now, and find no place.
    for (const dueMs = performance.now() + 20; performance.now() < dueMs;) await nextTurn();
    await nextTurn();

    for (const answer of answers.slice()) answer();
    for (let microtask = 0; microtask < 100; microtask++) await Promise.resolve();
    expect(answers).toHaveLength(2);
    await nextTurn();
    expect(answers).toHaveLength(4);
    engine.schedule.stop();
  });
});

describe('a ping', () => {
  it('sends its poll in this turn of the event loop, and waits for no timer', async () => {
    let polls = 0;
    const poll = async (): Promise<PollOutcome> => {
      polls++;
      return { kind: 'pending', retryAfterSeconds: null };
    };
    const registration = { refusedCalls: [], fapi: false } as unknown as StoredRegistration;
    const limits = { maxInFlight: 2, maxInFlightPerProvider: 2, pollsPerSecondPerProvider: 1_000_000 };
    const engine = await createPollingEngine({ poll }, registration, limits);
    engine.admit(1, { intervalMs: 60_000, spreadMs: 0 });

    expect(engine.schedule.pinged('01990000-0000-7000-8000-000000000001')).toBe(true);
    expect(polls).toBe(0);
    await nextTurn();
    for (let microtask = 0; microtask < 100; microtask++) await Promise.resolve();
    expect(polls).toBe(1);
    engine.schedule.stop();
  });
});
