import {
  brokerConfig,
  createLog,
  databaseConfig,
  outboundConfig,
  parseConfig,
  processConfig,
  untilSignal,
} from '#lib/runtime';
import type { DynamicModule } from '@nestjs/common';
import { z } from 'zod';
import { openProcess, type ProcessParts } from './process-parts.js';

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
    const process = await openProcess({
      name: service.name,
      ...settings(config, service.name),
      signal: starting.signal,
    });
    try {
      const { url } = await process.start({
        name: service.name,
        module: (parts) => service.module(config, parts),
        port: (config as ServiceConfig).PORT,
        host: (config as ServiceConfig).HOST,
      });
      process.parts.log.info('The service runs', { url });
      await signalled;
    } finally {
      await process.stop();
    }
  } catch (error) {
    if (!starting.signal.aborted) fail(error);
  }
  return process.exit(0);
}

const settings = (config: ServiceConfig, service: string) => ({
  databaseUrl: config.DATABASE_URL.reveal(),
  masterKeys: config.ASSENT_MASTER_KEYS.reveal(),
  poolSize: config.DATABASE_POOL_SIZE,
  amqpUrl: config.AMQP_URL.reveal(),
  allowLoopback: config.ASSENT_ALLOW_LOOPBACK,
  allowedNetworks: config.ASSENT_ALLOWED_NETWORKS,
  log: createLog({ service, level: config.LOG_LEVEL }),
});

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
