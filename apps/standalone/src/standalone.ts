import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CibaWorkerModule } from '#app/ciba-worker';
import { DecisionServiceModule } from '#app/decision-service';
import { PollerModule } from '#app/poller';
import { RulesServiceModule } from '#app/rules-service';
import { openProcess } from '#lib/assembly';
import { generateMasterKey, migrate, startEmbeddedPostgres, type Database } from '#lib/persistence';
import { asFunction, Secret, type Log } from '#lib/runtime';
import { freePort } from './free-port.js';
import { keptSecret } from './kept-secret.js';
import { seedSandbox } from './seed-sandbox.js';
import type { StandaloneConfig } from './standalone.config.js';
import type { Welcome } from './welcome.js';

/** Everything in one process; `stop` undoes it in the opposite order. */
export interface Standalone extends Welcome {
  stop(): Promise<void>;
}

/** Remembers how to undo what was started. */
type Undo = (action: () => Promise<void>) => void;

/**
 * Starts the database, the transport, the four services and the sandbox in this process.
 *
 * Waits for a database that is away until `signal` aborts. What was started is stopped again when a later part cannot
 * start.
 *
 * @throws PortInUse, DataDirectoryInUse and whatever else keeps a part from starting
 */
export async function startStandalone(config: StandaloneConfig, log: Log, signal: AbortSignal): Promise<Standalone> {
  const started: Array<() => Promise<void>> = [];
  const stop = async (): Promise<void> => {
    for (let undo = started.pop(); undo; undo = started.pop()) {
      await undo().catch((error: unknown) => log.error('Stopping a part failed', { error }));
    }
  };
  try {
    return { ...(await startParts(config, log, signal, (undo) => started.push(undo))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(config: StandaloneConfig, log: Log, signal: AbortSignal, undo: Undo): Promise<Welcome> {
  const dataDir = config.ASSENT_DATA_DIR;
  const databaseUrl = config.DATABASE_URL?.reveal() ?? (await startOwnPostgres(join(dataDir, 'postgres'), log, undo));
  const { apiKey, masterKeys } = await secrets(config);
  await migrate(databaseUrl, { log: asFunction(log), waitUntil: signal });

  const assent = await openProcess({
    name: 'standalone',
    databaseUrl,
    masterKeys,
    amqpUrl: config.AMQP_URL?.reveal() ?? null,
    allowLoopback: config.ASSENT_ALLOW_LOOPBACK,
    allowedNetworks: config.ASSENT_ALLOWED_NETWORKS,
    allowedPorts: config.ASSENT_ALLOWED_PORTS,
    log,
    signal,
    // Somebody sits in front of it: they are told at once, and mend it.
    waitUntilFit: false,
  });
  undo(() => assent.stop());

  const port = config.PORT === 0 ? await freePort(config.HOST) : config.PORT;
  const url = `http://${config.HOST === '0.0.0.0' ? '127.0.0.1' : config.HOST}:${port}`;
  const settings = {
    ...config,
    ASSENT_API_KEY: new Secret(apiKey),
    ASSENT_PUBLIC_URL: config.ASSENT_PUBLIC_URL ?? url,
  };
  const modules = {
    'decision-service': DecisionServiceModule,
    poller: PollerModule,
    'ciba-worker': CibaWorkerModule,
    'rules-service': RulesServiceModule,
  };
  for (const [name, service] of Object.entries(modules)) {
    await assent.start({
      name,
      module: (parts) => service.register({ ...parts, config: settings }),
      // The door opens last, when whatever comes in is taken care of.
      port: name === 'rules-service' ? port : null,
      host: config.HOST,
    });
  }
  const sandbox = await startSandbox(config, { url, apiKey, database: assent.parts.database, log }, undo);
  return { url, apiKey, dataDir, sandbox };
}

/** Given ones first; else made once and kept in the data folder. */
async function secrets(config: StandaloneConfig): Promise<{ apiKey: string; masterKeys: string }> {
  const { ASSENT_API_KEY, ASSENT_MASTER_KEYS, ASSENT_DATA_DIR } = config;
  const newApiKey = () => `assent_${randomBytes(24).toString('base64url')}`;
  return {
    masterKeys:
      ASSENT_MASTER_KEYS?.reveal() ?? (await keptSecret(join(ASSENT_DATA_DIR, 'master-keys'), generateMasterKey)),
    apiKey: ASSENT_API_KEY?.reveal() ?? (await keptSecret(join(ASSENT_DATA_DIR, 'api-key'), newApiKey)),
  };
}

async function startOwnPostgres(dir: string, log: Log, undo: Undo): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dir, log: asFunction(log) });
  undo(() => postgres.stop());
  return postgres.url;
}

// The sandbox is a development dependency: it is loaded only when it is wanted.
async function startSandbox(
  config: StandaloneConfig,
  assent: { url: string; apiKey: string; database: Database; log: Log },
  undo: Undo,
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
