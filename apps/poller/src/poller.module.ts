import { CibaClient } from '#lib/ciba';
import type { Database } from '#lib/persistence';
import { asFunction, perseveringUntil, type Log, type OutboundGuard } from '#lib/runtime';
import { Module, type DynamicModule } from '@nestjs/common';
import { AdoptPending } from './adopt-pending.js';
import { AnswersInHand } from './answers-in-hand.js';
import { ConcludeAuthentication } from './conclude-authentication.js';
import { DatabaseClock } from './database-clock.js';
import { OwnShards } from './own-shards.js';
import { PendingAuthentications } from './pending-authentications.js';
import { PendingHintsController } from './pending-hints.controller.js';
import { PollAuthentication } from './poll-authentication.js';
import { PollerMetrics } from './poller-metrics.js';
import { pollerTuning, type PollerConfig, type PollerTuning } from './poller.config.js';
import { PollingSchedule } from './polling-schedule.js';
import { ProviderQueues } from './provider-queues.js';
import { QuiesceShards } from './quiesce-shards.js';
import { RefusedClients } from './refused-clients.js';
import { RevokeTokens } from './revoke-tokens.js';
import { RunPoller } from './run-poller.js';
import { ShardLeases } from './shard-leases.js';
import { VerifyAnswer } from './verify-answer.js';

/** What the process gives to the poller. */
export interface PollerParts {
  /** Tuning that is left out has its default. */
  readonly config: Pick<PollerConfig, 'ASSENT_ALLOW_LOOPBACK'> & Partial<PollerTuning>;
  readonly database: Database;
  readonly log: Log;
  readonly guard: OutboundGuard;
  /** The name under which this process owns shards; a new one at every start. */
  readonly instanceId: string;
}

/** Polls the token providers for every pending request, until each has its end. */
@Module({})
export class PollerModule {
  static register(parts: PollerParts): DynamicModule {
    const { adopt, schedule, ownShards, ciba } = assemble(parts);
    return {
      module: PollerModule,
      controllers: [PendingHintsController],
      providers: [
        { provide: AdoptPending, useValue: adopt },
        { provide: PollingSchedule, useValue: schedule },
        { provide: RunPoller, useFactory: () => new RunPoller(ownShards, ciba) },
      ],
    };
  }
}

const nowMs = (): number => performance.now();

function assemble({ config, database, log, guard, instanceId }: PollerParts) {
  const tuning = { ...pollerTuning.parse({}), ...config };
  const ciba = new CibaClient({
    connect: (tls) => guard.connector(tls),
    allowInsecureHttp: config.ASSENT_ALLOW_LOOPBACK,
    log: asFunction(log),
  });
  const { requests, registrations, shards } = database;
  const ending = new AbortController();
  const persevere = perseveringUntil(ending.signal, log);
  const clock = new DatabaseClock(nowMs);
  const metrics = new PollerMetrics();
  const pending = new PendingAuthentications();
  const queues = new ProviderQueues({
    maxInFlight: tuning.POLLER_MAX_IN_FLIGHT,
    maxInFlightPerProvider: tuning.POLLER_MAX_IN_FLIGHT_PER_PROVIDER,
    pollsPerSecondPerProvider: tuning.POLLER_POLLS_PER_SECOND_PER_PROVIDER,
  });
  const leases = new ShardLeases({
    shards,
    clock,
    owner: instanceId,
    leaseMs: tuning.POLLER_LEASE_SECONDS * 1000,
    marginMs: tuning.POLLER_LEASE_MARGIN_SECONDS * 1000,
    nowMs,
  });
  const poll = new PollAuthentication(
    ciba,
    registrations,
    new RefusedClients(database.clientRefusals, log),
    log,
    nowMs,
  );
  const verify = new VerifyAnswer({ ciba, registrations, requests, clock, persevere, log });
  const conclude = new ConcludeAuthentication(requests, persevere, log);
  const answers = new AnswersInHand({
    verify,
    conclude,
    revoke: new RevokeTokens(ciba, registrations, log),
    requests,
    persevere,
    clock,
    nowMs,
  });
  const schedule = new PollingSchedule({
    pending,
    queues,
    leases,
    clock,
    poll,
    answers,
    conclude,
    requests,
    metrics,
    log,
    nowMs,
  });
  const adopt = new AdoptPending({ requests, pending, schedule, leases, conclude, clock, log, nowMs });
  const ownShards = new OwnShards({
    leases,
    adopt,
    schedule,
    quiesce: new QuiesceShards(pending, schedule),
    pending,
    queues,
    metrics,
    persevere,
    giveUp: () => ending.abort(),
    log,
    renewEveryMs: tuning.POLLER_RENEW_SECONDS * 1000,
    sweepEveryMs: tuning.POLLER_SWEEP_SECONDS * 1000,
    handOverMs: tuning.POLLER_HAND_OVER_SECONDS * 1000,
  });
  return { adopt, schedule, ownShards, ciba };
}
