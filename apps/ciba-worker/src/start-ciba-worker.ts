import { randomUUID } from 'node:crypto';
import { createRabbitBus, OutboxRelay, type EventBus } from '#lib/messaging';
import { Database, isUnavailable } from '#lib/persistence';
import { asFunction, createOutboundGuard, startService, type HealthCheck, type Log } from '#lib/runtime';
import { consumerName } from './authorization-requested.controller.js';
import type { CibaWorkerConfig } from './ciba-worker.config.js';
import { CibaWorkerModule } from './ciba-worker.module.js';

/** A worker that runs; `stop` waits for calls in flight, then lets go of broker and database. */
export interface RunningCibaWorker {
  readonly url: string | null;
  stop(): Promise<void>;
}

/**
 * Starts the worker as a process of its own.
 *
 * Waits for a database that is away until `signal` aborts; works through a broker that is away.
 *
 * @throws PortInUse, and `UnsafeDatabase` when migrations are missing
 */
export async function startCibaWorker(
  config: CibaWorkerConfig,
  log: Log,
  signal?: AbortSignal,
): Promise<RunningCibaWorker> {
  const instanceId = randomUUID();
  const database = await Database.open({
    url: config.DATABASE_URL.reveal(),
    masterKeys: config.ASSENT_MASTER_KEYS.reveal(),
    source: `/assent/${consumerName}`,
    poolSize: config.DATABASE_POOL_SIZE,
    log: asFunction(log),
    signal,
  });
  const bus = createRabbitBus({ url: config.AMQP_URL.reveal(), instanceId, log: asFunction(log) });
  const relay = new OutboxRelay({ outbox: database.outbox, publisher: bus, log: asFunction(log) });
  database.onEvents((events) => relay.offer(events));
  const letGo = async (): Promise<void> => {
    await relay.stop();
    await bus.close();
    await database.close();
  };
  try {
    const guard = createOutboundGuard({
      allowLoopback: config.ASSENT_ALLOW_LOOPBACK,
      allowedNetworks: config.ASSENT_ALLOWED_NETWORKS,
    });
    const service = await startService({
      module: CibaWorkerModule.register({ config, database, log, guard, instanceId }),
      strategy: bus.consumer(consumerName),
      port: config.PORT,
      host: config.HOST,
      log,
      health: healthChecks(database, bus),
      isUnavailable,
    });
    relay.start();
    return { url: service.url, stop: () => service.stop().finally(letGo) };
  } catch (error) {
    await letGo();
    throw error;
  }
}

const healthChecks = (database: Database, bus: EventBus): HealthCheck[] => [
  { name: 'database', check: () => database.ping().then(() => null) },
  { name: 'broker', importance: 'degraded', check: async () => brokerProblem(bus) },
];

function brokerProblem(bus: EventBus): string | null {
  const { state, problem } = bus.status();
  return problem ?? (state === 'connected' ? null : 'not connected; events wait in the database');
}
