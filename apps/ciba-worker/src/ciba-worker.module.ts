import { setMaxListeners } from 'node:events';
import { CibaClient } from '#lib/ciba';
import type { Database } from '#lib/persistence';
import { asFunction, counter, Loop, perseveringUntil, type Log, type OutboundGuard } from '#lib/runtime';
import { Module, type DynamicModule } from '@nestjs/common';
import { AuthorizationRequestedController } from './authorization-requested.controller.js';
import { CallProvider } from './call-provider.js';
import { cibaWorkerTuning, type CibaWorkerConfig, type CibaWorkerTuning } from './ciba-worker.config.js';
import { ConcludeAttempt } from './conclude-attempt.js';
import { HinderedStarts } from './hindered-starts.js';
import { MakeAttempt } from './make-attempt.js';
import { OpenAttempt } from './open-attempt.js';
import { ProviderLanes } from './provider-lanes.js';
import { RefusedClients } from './refused-clients.js';
import { RunCibaWorker } from './run-ciba-worker.js';
import { StartAuthentication } from './start-authentication.js';
import { SweepUnstarted } from './sweep-unstarted.js';

/** What the process gives to the worker. */
export interface CibaWorkerParts {
  /** Tuning that is left out has its default. */
  readonly config: Pick<CibaWorkerConfig, 'ASSENT_ALLOW_LOOPBACK'> & Partial<CibaWorkerTuning>;
  readonly database: Database;
  readonly log: Log;
  readonly guard: OutboundGuard;
  /** The name under which this process opens attempts. */
  readonly instanceId: string;
}

/** Puts every accepted request to its token provider. */
@Module({})
export class CibaWorkerModule {
  static register(parts: CibaWorkerParts): DynamicModule {
    const { startAuthentication, run } = assemble(parts);
    return {
      module: CibaWorkerModule,
      controllers: [AuthorizationRequestedController],
      providers: [
        { provide: StartAuthentication, useValue: startAuthentication },
        { provide: RunCibaWorker, useFactory: run },
      ],
    };
  }
}

const sweepEveryMs = 2000;

function assemble({ config, database, log, guard, instanceId }: CibaWorkerParts) {
  const tuning = { ...cibaWorkerTuning.parse({}), ...config };
  const starts = counter({
    name: 'assent_starts_total',
    help: 'Start calls made, by what came back.',
    labelNames: ['outcome'],
  });
  const ciba = new CibaClient({
    connect: (tls) => guard.connector(tls),
    allowInsecureHttp: config.ASSENT_ALLOW_LOOPBACK,
    log: asFunction(log),
  });
  const stopping = new AbortController();
  // Every request that waits for its next attempt listens, and there may be thousands of them.
  setMaxListeners(0, stopping.signal);
  const ending = new AbortController();
  const { requests } = database;
  const startWithinSeconds = tuning.ASSENT_START_WITHIN_SECONDS;
  const refusedClientWaitSeconds = tuning.ASSENT_REFUSED_CLIENT_WAIT_SECONDS;
  const persevere = perseveringUntil(ending.signal, log);
  const refusedClients = new RefusedClients(database.clientRefusals, log);
  const openAttempt = new OpenAttempt(requests, instanceId, persevere);
  const concludeAttempt = new ConcludeAttempt(requests, persevere, log);
  const limits = { refusedClientWaitSeconds, startWithinSeconds };
  const hindered = new HinderedStarts(limits, openAttempt, concludeAttempt, log);
  const makeAttempt = new MakeAttempt({
    requests,
    registrations: database.registrations,
    refusedClients,
    hindered,
    openAttempt,
    callProvider: new CallProvider(ciba, refusedClients, (outcome) => starts.inc({ outcome }), log),
    concludeAttempt,
    startWithinSeconds,
    nowMs: () => performance.now(),
  });
  const startAuthentication = new StartAuthentication({
    requests,
    lanes: new ProviderLanes({
      inFlight: tuning.CIBA_WORKER_MAX_IN_FLIGHT_PER_PROVIDER,
      members: tuning.CIBA_WORKER_MAX_WAITING_PER_PROVIDER,
      standBy: 2 * tuning.CIBA_WORKER_MAX_WAITING_PER_PROVIDER,
    }),
    refusedClients,
    hindered,
    makeAttempt,
    stopping: stopping.signal,
    log,
  });
  const sweepUnstarted = new SweepUnstarted(requests, startAuthentication, refusedClientWaitSeconds);
  const sweep = new Loop({
    name: 'The sweep for unstarted requests',
    everyMs: sweepEveryMs,
    tick: (signal) => sweepUnstarted.run(signal),
    log,
  });
  const settleWithinMs = tuning.CIBA_WORKER_SETTLE_SECONDS * 1000;
  const beginNoMore = () => stopping.abort();
  const giveUp = () => ending.abort();
  return {
    startAuthentication,
    run: () => new RunCibaWorker({ sweep, startAuthentication, ciba, settleWithinMs, beginNoMore, giveUp }),
  };
}
