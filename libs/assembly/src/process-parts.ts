import { randomUUID } from 'node:crypto';
import { createInProcessBus, createRabbitBus, OutboxRelay, type EventBus } from '#lib/messaging';
import { Database, isUnavailable, type Unfitness } from '#lib/persistence';
import {
  asFunction,
  createOutboundGuard,
  startService,
  type Log,
  type OutboundGuard,
  type RunningService,
} from '#lib/runtime';
import type { DynamicModule } from '@nestjs/common';
import { ensureKeys } from './ensure-keys.js';
import { Fitness } from './fitness.js';
import { brokerChecks } from './broker-checks.js';
import { DeadLetterWatch } from './dead-letter-watch.js';
import { OutboxWatch } from './outbox-watch.js';

/** What one process brings to the services in it. */
export interface ProcessParts {
  readonly database: Database;
  readonly bus: EventBus;
  readonly guard: OutboundGuard;
  readonly log: Log;
  /** One name for each start: a process that comes back must not be taken for the one that died. */
  readonly instanceId: string;
}

export interface ProcessSettings {
  /** Who commits and logs, for example `poller`. */
  readonly name: string;
  readonly databaseUrl: string;
  readonly masterKeys: string;
  readonly poolSize?: number;
  /** The broker's address; null: events stay inside the process. */
  readonly amqpUrl: string | null;
  readonly allowLoopback: boolean;
  readonly allowedNetworks: readonly string[];
  readonly allowedPorts?: readonly number[];
  readonly log: Log;
  /** Ends the wait for a database that is away, or that must not be used yet. */
  readonly signal?: AbortSignal;
  /**
   * Whether a database that must not be used as it is (wrong master keys, missing migrations, settings that could lose
   * commits) is waited for; true unless given. One that is away is waited for in any case.
   */
  readonly waitUntilFit?: boolean;
  /** Told at each attempt why the database cannot be used yet. */
  readonly onUnfit?: (findings: readonly Unfitness[]) => void;
  /** Whether the process makes keys of the installation that are missing; others only use them. True unless given. */
  readonly makesKeys?: boolean;
}

/** A service to run on the parts of a process. */
export interface ServiceSettings {
  /** Also the name of its consumer group. */
  readonly name: string;
  readonly module: (parts: ProcessParts) => DynamicModule;
  /** Null: no HTTP server of its own. */
  readonly port: number | null;
  readonly host: string;
  /** How long calls are still taken after the service has said that it leaves, in ms. */
  readonly farewellMs?: number;
}

/** The parts of one process, and the services that run on them. */
export interface OpenProcess {
  readonly parts: ProcessParts;
  /** @throws PortInUse */
  start(service: ServiceSettings): Promise<RunningService>;
  /** Stops the services, the last one first, then lets go of broker and database. */
  stop(): Promise<void>;
}

/**
 * Opens the database, joins it to the broker, and runs services on both: the one place where the adapters meet.
 *
 * Waits, until `signal` aborts, for a database that is away, or that must not be used as it is; works through a broker
 * that is away.
 *
 * @throws MasterKeyMismatch when the master keys cannot be read; that and UnsafeDatabase without `waitUntilFit`
 */
export async function openProcess(settings: ProcessSettings): Promise<OpenProcess> {
  const { log } = settings;
  const guard = createOutboundGuard(settings);
  const instanceId = randomUUID();
  const fitness = new Fitness(log);
  const database = await Database.open({
    url: settings.databaseUrl,
    masterKeys: settings.masterKeys,
    source: `/assent/${settings.name}`,
    poolSize: settings.poolSize,
    log: asFunction(log),
    signal: settings.signal,
    ...(settings.waitUntilFit !== false && {
      onUnfit: (findings) => {
        fitness.tell(findings);
        settings.onUnfit?.(findings);
      },
    }),
  });
  fitness.watch(database);
  const keysAreThere = settings.makesKeys === false ? Promise.resolve() : ensureKeys(database, settings.signal);
  await keysAreThere.catch(async (error: unknown) => {
    await fitness.stop();
    await database.close();
    throw error;
  });
  const bus =
    settings.amqpUrl === null
      ? createInProcessBus({ log: asFunction(log) })
      : createRabbitBus({ url: settings.amqpUrl, instanceId, log: asFunction(log) });
  const relay = new OutboxRelay({ outbox: database.outbox, publisher: bus, log: asFunction(log) });
  database.onEvents((events) => relay.offer(events));
  relay.start();
  const outboxWatch = new OutboxWatch(database.outbox, log);
  outboxWatch.start();

  const parts: ProcessParts = { database, bus, guard, log, instanceId };
  const services: RunningService[] = [];
  const deadLetters = new DeadLetterWatch(bus.deadLetters, log);
  return {
    parts,
    start: async ({ name, module, port, host, farewellMs }) => {
      const service = await startService({
        module: module(parts),
        strategy: bus.consumer(name),
        port,
        host,
        farewellMs,
        log,
        health: [...fitness.checks(), ...brokerChecks(bus)],
        isUnavailable,
      });
      services.push(service);
      deadLetters.add(name);
      return service;
    },
    stop: async () => {
      // Consumers first: what they still finish needs the relay, the broker and the database.
      for (const service of services.reverse()) await service.stop();
      await deadLetters.stop();
      await outboxWatch.stop();
      await relay.stop();
      await bus.close();
      await fitness.stop();
      await database.close();
    },
  };
}
