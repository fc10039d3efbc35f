import { GCProfiler, getHeapStatistics } from 'node:v8';
import { expect, it } from '@jest/globals';
import type { CibaClient } from '#lib/ciba';
import type { ClientRefusalStore, PendingWork, RegistrationStore, ShardStore, StoredRegistration } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import type { ConcludeAuthentication } from './conclude-authentication.js';
import { DatabaseClock } from './database-clock.js';
import { PendingAuthentications } from './pending-authentications.js';
import { PollAuthentication } from './poll-authentication.js';
import { PollerMetrics } from './poller-metrics.js';
import { PollingSchedule } from './polling-schedule.js';
import { ProviderQueues } from './provider-queues.js';
import { RefusedClients } from './refused-clients.js';
import { ShardLeases } from './shard-leases.js';
import type { VerifyAnswer } from './verify-answer.js';

const requests = 200;
const warmUp = 10_000;
const measured = 40_000;
/** What one poll may allocate around its HTTP call; a third above what it does allocate. */
const mostBytesPerPoll = 5_000;

const workOf = (at: number): PendingWork => ({
  requestId: `01990000-0000-7000-8000-${String(at).padStart(10, '0')}00`,
  shard: 0,
  rule: { id: 'rule', version: 1 },
  tokenProviderId: 'provider',
  clientId: 'client',
  requestedScope: 'openid',
  acrValues: [],
  releaseAccessToken: false,
  consumeWithinSeconds: 60,
  provesPerRequest: false,
  authReqId: `auth-req-id-${at}`,
  sentAt: new Date(),
  expiresAt: new Date(Date.now() + 3_600_000),
  intervalSeconds: 0.001,
  deliveryMode: 'poll',
  pingedAt: null,
  heldAnswer: null,
});

/** Bytes that were allocated on the heap while something ran, whatever was collected meanwhile. */
async function allocatedBytes(work: () => Promise<void>): Promise<number> {
  const profiler = new GCProfiler();
  profiler.start();
  let usedBefore = getHeapStatistics().used_heap_size;
  await work();
  const usedAfter = getHeapStatistics().used_heap_size;
  let bytes = 0;
  for (const { beforeGC, afterGC } of profiler.stop().statistics) {
    bytes += beforeGC.heapStatistics.usedHeapSize - usedBefore;
    usedBefore = afterGC.heapStatistics.usedHeapSize;
  }
  return bytes + usedAfter - usedBefore;
}

it('a poll writes nothing, and allocates little beside its HTTP call', async () => {
  const writes: string[] = [];
  let polls = 0;
  let reached: { at: number; resolve: () => void } | null = null;
  const ciba: Pick<CibaClient, 'poll'> = {
    poll: async () => {
      if (++polls === reached?.at) reached.resolve();
      return { kind: 'pending', retryAfterSeconds: null };
    },
  };
  const untilPolls = (at: number) => new Promise<void>((resolve) => (reached = { at, resolve }));
  const registration = { refusedCalls: [], fapi: false } as unknown as StoredRegistration;
  const registrations = { load: async () => registration } as unknown as RegistrationStore;
  const refusals = {
    admit: async () => null,
    accepted: async () => false,
    note: async () => void writes.push('a refusal'),
  } as unknown as ClientRefusalStore;
  const owned = [{ shard: 0, epoch: 1, uncleanTakeoverAt: null }];
  const shards: ShardStore = {
    renew: async () => ({
      databaseNow: new Date(),
      leaseUntil: new Date(Date.now() + 3_600_000),
      owned,
      liveInstances: 1,
      unowned: 0,
    }),
    takeLapsed: async () => ({ databaseNow: new Date(), taken: [] }),
    release: async () => undefined,
    leave: async () => undefined,
  };
  const nowMs = () => performance.now();
  const clock = new DatabaseClock(nowMs);
  const leases = new ShardLeases({ shards, clock, owner: 'poller-1', leaseMs: 3_600_000, marginMs: 1000, nowMs });
  const schedule = new PollingSchedule({
    pending: new PendingAuthentications(),
    leases,
    clock,
    queues: new ProviderQueues({ maxInFlight: 64, maxInFlightPerProvider: 64, pollsPerSecondPerProvider: 10_000_000 }),
    requests: {
      pending: async () => {
        writes.push('a reading');
        return { databaseNow: new Date(), work: [], unreadable: [] };
      },
      raiseInterval: async () => void writes.push('an interval'),
    },
    poll: new PollAuthentication(ciba, registrations, new RefusedClients(refusals, silentLog), silentLog, nowMs),
    verify: {} as VerifyAnswer,
    conclude: { run: async () => void writes.push('an end') } as unknown as ConcludeAuthentication,
    revoke: { begin: () => undefined },
    metrics: new PollerMetrics(),
    persevere: (_what, action) => action(),
    log: silentLog,
    nowMs,
  });
  await leases.renew();
  for (let at = 0; at < requests; at++) schedule.admit(workOf(at));
  // Until the code is compiled it allocates more.
  await untilPolls(warmUp);
  const before = polls;
  const bytes = await allocatedBytes(() => untilPolls(before + measured));
  schedule.stop();
  expect(writes).toEqual([]);
  expect(bytes / measured).toBeLessThan(mostBytesPerPoll);
  expect(bytes / measured).toBeGreaterThan(100);
}, 60_000);
