import { fitnessChecks, type Unfitness } from '#lib/persistence';
import {
  brokerConfig,
  checkReport,
  createLog,
  databaseConfig,
  outboundConfig,
  parseConfig,
  processConfig,
  openWaitingRoom,
  untilSignal,
  type HealthReport,
  type Log,
} from '#lib/runtime';
import type { DynamicModule } from '@nestjs/common';
import { z } from 'zod';
import { problemOf } from './fitness.js';
import { openProcess, type OpenProcess, type ProcessParts, type ProcessSettings } from './process-parts.js';

/** What every service is told when it runs as a process of its own. */
export const serviceConfig = z.object({
  ...processConfig.shape,
  ...databaseConfig.shape,
  ...brokerConfig.shape,
  ...outboundConfig.shape,
});
type ServiceConfig = z.output<typeof serviceConfig>;

/** One service as a process. */
export interface Alone<Schema extends typeof serviceConfig> {
  readonly name: string;
  readonly schema: Schema;
  readonly module: (config: Readonly<z.output<Schema>>, parts: ProcessParts) => DynamicModule;
  /** How long calls are still taken after the service has said that it leaves, in ms; 0 where nobody calls it. */
  readonly farewellMs?: (config: Readonly<z.output<Schema>>) => number;
  /** Whether it makes keys of the installation that are missing; false unless given: few may write them. */
  readonly makesKeys?: boolean;
}

/**
 * Runs one service until SIGINT or SIGTERM, and ends the process: 0 after a clean stop, 1 with one clear text when the
 * service cannot start.
 */
export async function runAlone<Schema extends typeof serviceConfig>(
  service: Alone<Schema>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<never> {
  const starting = new AbortController();
  const signalled = untilSignal().finally(() => starting.abort());
  try {
    const config = parseConfig(service.schema, env);
    const log = createLog({ service: service.name, level: (config as ServiceConfig).LOG_LEVEL });
    const running = await startAlone(service, config, { signal: starting.signal, log });
    log.info('The service runs', { url: running.url });
    await signalled;
    await running.stop();
  } catch (error) {
    if (!starting.signal.aborted) fail(error);
  }
  return process.exit(0);
}

/** A service that has become ready. */
export interface RunningAlone {
  readonly url: string | null;
  stop(): Promise<void>;
}

/**
 * Starts one service with a process of its own around it. While it cannot start, its port tells why.
 *
 * @throws PortInUse, MasterKeyMismatch, and the signal's reason when it aborts before the service runs
 */
export async function startAlone<Schema extends typeof serviceConfig>(
  { name, module, farewellMs, makesKeys = false }: Alone<Schema>,
  config: Readonly<z.output<Schema>>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<RunningAlone> {
  const common = config as ServiceConfig;
  const place = { port: common.PORT, host: common.HOST };
  const process = await openInWaitingRoom({ name, ...settings(common), log, signal, makesKeys }, place);
  try {
    const { url } = await process.start({
      name,
      module: (parts) => module(config, parts),
      ...place,
      farewellMs: farewellMs?.(config) ?? 0,
    });
    return { url, stop: () => process.stop() };
  } catch (error) {
    await process.stop();
    throw error;
  }
}

/** Opens the process, and says meanwhile on its port why there is no service yet. */
async function openInWaitingRoom(
  settings: ProcessSettings,
  { port, host }: { port: number; host: string },
): Promise<OpenProcess> {
  let findings: readonly Unfitness[] = [];
  const report = (): HealthReport => ({
    status: 'not-ready',
    checks: [
      checkReport('start', findings.length > 0 ? null : justStarting),
      ...fitnessChecks.flatMap((name) => {
        const problem = problemOf(findings, name);
        return problem === null ? [] : [checkReport(name, problem)];
      }),
    ],
  });
  // A free port that nobody knows yet needs no notice on it.
  const room = port === 0 ? null : await openWaitingRoom({ port, host, report });
  try {
    return await openProcess({ ...settings, onUnfit: (found) => (findings = found) });
  } finally {
    await room?.close();
  }
}

const justStarting = { reason: 'the service is starting', whatToDo: 'Wait a moment.' };

const settings = (config: ServiceConfig) => ({
  databaseUrl: config.DATABASE_URL.reveal(),
  masterKeys: config.ASSENT_MASTER_KEYS.reveal(),
  poolSize: config.DATABASE_POOL_SIZE,
  amqpUrl: config.AMQP_URL.reveal(),
  allowLoopback: config.ASSENT_ALLOW_LOOPBACK,
  allowedNetworks: config.ASSENT_ALLOWED_NETWORKS,
  allowedPorts: config.ASSENT_ALLOWED_PORTS,
});

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
