import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { CibaWorkerModule } from '#app/ciba-worker';
import { DecisionServiceModule } from '#app/decision-service';
import { PollerModule } from '#app/poller';
import { RulesServiceModule } from '#app/rules-service';
import { createInProcessBus, createRabbitBus, OutboxRelay, type EventBus } from '#lib/messaging';
import { Database, generateMasterKey, isUnavailable, migrate, startEmbeddedPostgres } from '#lib/persistence';
import { asFunction, createOutboundGuard, Secret, startService, type HealthCheck, type Log } from '#lib/runtime';
import { keptSecret } from './kept-secret.js';
import { seedSandbox } from './seed-sandbox.js';
import type { StandaloneConfig } from './standalone.config.js';
import type { Welcome } from './welcome.js';

/** Everything in one process; `stop` undoes it in the opposite order. */
export interface Standalone extends Welcome {
  stop(): Promise<void>;
}

/**
 * Starts the database, the transport, the sandbox and the four services in this process.
 *
 * What was started is stopped again when a later part cannot start.
 *
 * @throws PortInUse, DataDirectoryInUse and whatever else keeps a part from starting
 */
export async function startStandalone(config: StandaloneConfig, log: Log): Promise<Standalone> {
  const started: Array<() => Promise<void>> = [];
  const stop = async (): Promise<void> => {
    for (let undo = started.pop(); undo; undo = started.pop()) {
      await undo().catch((error: unknown) => log.error('Stopping a part failed', { error }));
    }
  };
  try {
    return { ...(await startParts(config, log, (undo) => started.push(undo))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  config: StandaloneConfig,
  log: Log,
  undo: (action: () => Promise<void>) => void,
): Promise<Welcome> {
  const dataDir = config.ASSENT_DATA_DIR;
  const databaseUrl = config.DATABASE_URL?.reveal() ?? (await startOwnPostgres(join(dataDir, 'postgres'), log, undo));
  const masterKeys =
    config.ASSENT_MASTER_KEYS?.reveal() ?? (await keptSecret(join(dataDir, 'master-keys'), generateMasterKey));
  const apiKey =
    config.ASSENT_API_KEY?.reveal() ??
    (await keptSecret(join(dataDir, 'api-key'), () => `assent_${randomBytes(24).toString('base64url')}`));

  await migrate(databaseUrl);
  const database = await Database.open({
    url: databaseUrl,
    masterKeys,
    source: '/assent/standalone',
    log: asFunction(log),
  });
  undo(() => database.close());
  await database.signingKeys.ensure();

  const instanceId = randomUUID();
  const bus = openBus(config, instanceId, log);
  undo(() => bus.close());
  const relay = new OutboxRelay({
    outbox: database.outbox,
    publisher: bus,
    log: asFunction(log),
  });
  database.onEvents((events) => relay.offer(events));
  undo(() => relay.stop());

  const url = `http://${config.HOST === '0.0.0.0' ? '127.0.0.1' : config.HOST}:${config.PORT}`;
  const publicUrl = config.ASSENT_PUBLIC_URL ?? url;
  const guard = createOutboundGuard({
    allowLoopback: config.ASSENT_ALLOW_LOOPBACK,
    allowedNetworks: config.ASSENT_ALLOWED_NETWORKS,
  });
  const settings = { ...config, ASSENT_API_KEY: new Secret(apiKey), ASSENT_PUBLIC_URL: publicUrl };
  const parts = { config: settings, database, bus, log, guard, instanceId };
  const health = healthChecks(database, bus);

  const modules = [
    ['decision-service', DecisionServiceModule.register(parts), null],
    ['poller', PollerModule.register(parts), null],
    ['ciba-worker', CibaWorkerModule.register(parts), null],
    ['rules-service', RulesServiceModule.register(parts), config.PORT],
  ] as const;
  for (const [name, module, port] of modules) {
    const service = await startService({
      module,
      strategy: bus.consumer(name),
      port,
      host: config.HOST,
      log: log.child({ service: name }),
      health,
      isUnavailable,
    });
    undo(() => service.stop());
  }
  relay.start();

  const sandbox = await startSandbox(config, { url, apiKey, database, log }, undo);
  return { url, apiKey, dataDir, sandbox };
}

async function startOwnPostgres(dir: string, log: Log, undo: (action: () => Promise<void>) => void): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dir, log: asFunction(log) });
  undo(() => postgres.stop());
  return postgres.url;
}

function openBus(config: StandaloneConfig, instanceId: string, log: Log): EventBus {
  const url = config.AMQP_URL?.reveal();
  return url
    ? createRabbitBus({ url, instanceId, log: asFunction(log) })
    : createInProcessBus({ log: asFunction(log) });
}

const healthChecks = (database: Database, bus: EventBus): HealthCheck[] => [
  { name: 'database', check: () => database.ping().then(() => null) },
  { name: 'broker', importance: 'degraded', check: async () => brokerProblem(bus) },
];

function brokerProblem(bus: EventBus): string | null {
  const { state, problem } = bus.status();
  return problem ?? (state === 'connected' ? null : 'not connected; events wait in the database');
}

// The sandbox is a development dependency: it is loaded only when it is wanted.
async function startSandbox(
  config: StandaloneConfig,
  assent: { url: string; apiKey: string; database: Database; log: Log },
  undo: (action: () => Promise<void>) => void,
): Promise<Welcome['sandbox']> {
  if (config.ASSENT_SANDBOX_PORT === 0) return null;
  const module = await import('#app/sandbox');
  const sandbox = await module.startSandbox({
    port: config.ASSENT_SANDBOX_PORT,
    assentUrl: assent.url,
    assentApiKey: assent.apiKey,
    dataDir: join(config.ASSENT_DATA_DIR, 'sandbox'),
    log: asFunction(assent.log),
  });
  undo(() => sandbox.stop());
  await seedSandbox(assent.database, { issuer: sandbox.issuer, client: sandbox.clients.secretBasic });
  return { phoneUrl: sandbox.phoneUrl, shopUrl: sandbox.shopUrl };
}
