import type { CibaClient } from '#lib/ciba';
import type {
  ClientRefusalStore,
  PendingWork,
  RegistrationStore,
  ShardStore,
  StoredRegistration,
} from '#lib/persistence';
import { shardCount } from '#lib/domain';
import { silentLog } from '#lib/runtime';
import { AnswersInHand } from '../../apps/poller/src/answers-in-hand.js';
import type { ConcludeAuthentication } from '../../apps/poller/src/conclude-authentication.js';
import { DatabaseClock } from '../../apps/poller/src/database-clock.js';
import { PendingAuthentications } from '../../apps/poller/src/pending-authentications.js';
import { PollAuthentication } from '../../apps/poller/src/poll-authentication.js';
import { PollerMetrics } from '../../apps/poller/src/poller-metrics.js';
import { PollingSchedule } from '../../apps/poller/src/polling-schedule.js';
import { ProviderQueues, type ProviderLimits } from '../../apps/poller/src/provider-queues.js';
import { RefusedClients } from '../../apps/poller/src/refused-clients.js';
import { ShardLeases } from '../../apps/poller/src/shard-leases.js';
import type { VerifyAnswer } from '../../apps/poller/src/verify-answer.js';

/** The poller's own engine, without a database: it owns every shard, and what it would write is on record. */
export interface PollingEngine {
  readonly schedule: PollingSchedule;
  /** What went to the database, in order; a poll that says "pending" adds nothing. */
  readonly writes: readonly string[];
  /** A request that is pending for an hour, with the interval given; `at` makes it different from the others. */
  admit(at: number, request: { readonly intervalMs: number; readonly spreadMs: number }): void;
}

const longMs = 24 * 3_600_000;

/** Puts the poller's classes together around a CIBA client. */
export async function createPollingEngine(
  ciba: Pick<CibaClient, 'poll'>,
  registration: StoredRegistration,
  limits: ProviderLimits,
): Promise<PollingEngine> {
  const writes: string[] = [];
  const nowMs = () => performance.now();
  const clock = new DatabaseClock(nowMs);
  const leases = new ShardLeases({
    shards: everyShard(),
    clock,
    owner: 'poller-1',
    leaseMs: longMs,
    marginMs: 1,
    nowMs,
  });
  const registrations = { load: () => registration } as unknown as RegistrationStore;
  const refusals = {
    admit: () => null,
    accepted: () => false,
    note: async () => void writes.push('a refusal'),
  } as unknown as ClientRefusalStore;
  const conclude: Pick<ConcludeAuthentication, 'run'> = {
    run: async () => {
      writes.push('an end');
      return 'concluded';
    },
  };
  const answers = new AnswersInHand({
    verify: {} as VerifyAnswer,
    conclude,
    revoke: { begin: () => undefined },
    requests: {
      pending: async () => {
        writes.push('a reading');
        return { databaseNow: new Date(), work: [], unreadable: [] };
      },
    },
    persevere: (_what, action) => action(),
    clock,
    nowMs,
  });
  const schedule = new PollingSchedule({
    pending: new PendingAuthentications(),
    queues: new ProviderQueues(limits),
    leases,
    clock,
    poll: new PollAuthentication(ciba, registrations, new RefusedClients(refusals, silentLog), silentLog, nowMs),
    answers,
    conclude,
    requests: { raiseInterval: async () => void writes.push('an interval') },
    metrics: new PollerMetrics(),
    log: silentLog,
    nowMs,
  });
  await leases.renew();
  return {
    schedule,
    writes,
    admit: (at, { intervalMs, spreadMs }) => schedule.admit(workOf(at, intervalMs), spreadMs),
  };
}

function workOf(at: number, intervalMs: number): PendingWork {
  const number = at.toString(16).padStart(12, '0');
  return {
    requestId: `01990000-0000-7000-8000-${number}`,
    shard: at % shardCount,
    rule: { id: 'rule', version: 1 },
    tokenProviderId: 'provider',
    clientId: 'client',
    requestedScope: 'openid',
    acrValues: [],
    releaseAccessToken: false,
    consumeWithinSeconds: 60,
    provesPerRequest: false,
    authReqId: `auth-req-id-of-a-usual-length-${number}`,
    sentAt: new Date(),
    expiresAt: new Date(Date.now() + longMs),
    intervalSeconds: intervalMs / 1000,
    deliveryMode: 'poll',
    pingedAt: null,
    heldAnswer: null,
  };
}

function everyShard(): ShardStore {
  const owned = Array.from({ length: shardCount }, (_, shard) => ({ shard, epoch: 1, uncleanTakeoverAt: null }));
  const databaseNow = new Date();
  return {
    renew: async () => ({
      databaseNow,
      leaseUntil: new Date(databaseNow.getTime() + longMs),
      owned,
      liveInstances: 1,
      unowned: 0,
    }),
    takeLapsed: async () => ({ databaseNow, taken: [] }),
    release: async () => undefined,
    leave: async () => undefined,
  };
}
