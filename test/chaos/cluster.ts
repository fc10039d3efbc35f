import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { noPromptLimits } from '../support/no-prompt-limits.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freeConsecutivePorts } from '../support/rabbitmq-ports.js';
import { startRabbit, type Rabbit } from '../support/rabbitmq.js';
import { services, type Service } from './fault-plan.js';
import { Link } from './fault-proxy.js';
import { ServiceSlot } from './service-slot.js';
import { CommitWatch, ConfirmWatch, ReplyThief } from './wire-faults.js';

const replicas = 2;

/** Short, so that a run sees many leases end; the shipped defaults are 10, 2, 3 and 15. */
export const pollerLease = { leaseMs: 6_000, renewMs: 1_000, marginMs: 2_000, sweepMs: 5_000 };

/** One process with its own ways to Postgres and to the broker. */
export interface Replica {
  readonly slot: ServiceSlot;
  readonly postgres: Link;
  readonly broker: Link;
  readonly commits: ReplyThief;
  readonly confirms: ReplyThief;
}

/** Two of each service, a Postgres and a RabbitMQ, all private, with fault proxies on every way between them. */
export class Cluster {
  readonly postgres: TestPostgres;
  readonly rabbit: Rabbit;
  readonly databaseUrl: string;
  readonly replicas: readonly Replica[];
  /** Ways to the HTTP servers of the rules services, for clients and for pings. */
  readonly api: readonly Link[];
  readonly apiKey: string;
  readonly masterKey: string;
  readonly #links: Link[] = [];
  /** The ports of the services, until they are about to start: much else looks for ports meanwhile. */
  readonly #held: HeldPort[];

  private constructor(parts: {
    postgres: TestPostgres;
    rabbit: Rabbit;
    databaseUrl: string;
    replicas: readonly Replica[];
    api: readonly Link[];
    apiKey: string;
    masterKey: string;
    held: readonly HeldPort[];
  }) {
    this.#held = [...parts.held];
    this.postgres = parts.postgres;
    this.rabbit = parts.rabbit;
    this.databaseUrl = parts.databaseUrl;
    this.replicas = parts.replicas;
    this.api = parts.api;
    this.apiKey = parts.apiKey;
    this.masterKey = parts.masterKey;
    this.#links.push(...parts.api, ...parts.replicas.flatMap(({ postgres, broker }) => [postgres, broker]));
  }

  /** Starts the servers and the proxies; the services are started with `startServices`. */
  static async prepare(folder: string): Promise<Cluster> {
    const logs = join(folder, 'logs');
    await mkdir(logs, { recursive: true });
    const starting = await Promise.allSettled([startPostgres(), startRabbit().catch(() => startRabbit())]);
    const [postgres, rabbit] = await bothOrNone(starting);
    const { url: databaseUrl } = await postgres.freshDatabase();
    const apiKey = `assent_chaos_${randomBytes(24).toString('base64url')}`;
    const masterKey = randomBytes(32).toString('base64');
    const held = await Promise.all(Array.from({ length: services.length * replicas }, holdPort));
    const ports = held.map(({ port }) => port);

    const api = await Promise.all(
      Array.from({ length: replicas }, (_, n) => openLink(new Link(`api-${n + 1}`, ports[n]!))),
    );
    const made = services.flatMap((service) => Array.from({ length: replicas }, (_, n) => ({ service, n: n + 1 })));
    const all: Replica[] = [];
    for (const [at, { service, n }] of made.entries()) {
      const name = `${service}-${n}`;
      const commits = new ReplyThief();
      const confirms = new ReplyThief();
      const toPostgres = new Link(`${name} to postgres`, portOf(databaseUrl), () => new CommitWatch(commits));
      const toBroker = new Link(`${name} to broker`, rabbit.port, () => new ConfirmWatch(confirms));
      await Promise.all([openLink(toPostgres), openLink(toBroker)]);
      const slot = new ServiceSlot(name, service, ports[at]!, logs, {
        DATABASE_URL: through(databaseUrl, toPostgres),
        DATABASE_POOL_SIZE: '8',
        AMQP_URL: `amqp://127.0.0.1:${toBroker.port}?heartbeat=5`,
        ASSENT_MASTER_KEYS: `k1:${masterKey}`,
        ASSENT_API_KEY: apiKey,
        ASSENT_PUBLIC_URL: `http://127.0.0.1:${api[0]!.port}`,
        ASSENT_ALLOW_LOOPBACK: 'true',
        ...noPromptLimits,
        HOST: '127.0.0.1',
        LOG_LEVEL: 'info',
        POLLER_LEASE_SECONDS: String(pollerLease.leaseMs / 1000),
        POLLER_RENEW_SECONDS: String(pollerLease.renewMs / 1000),
        POLLER_LEASE_MARGIN_SECONDS: String(pollerLease.marginMs / 1000),
        POLLER_SWEEP_SECONDS: String(pollerLease.sweepMs / 1000),
      });
      all.push({ slot, postgres: toPostgres, broker: toBroker, commits, confirms });
    }
    return new Cluster({ postgres, rabbit, databaseUrl, replicas: all, api, apiKey, masterKey, held });
  }

  get publicUrl(): string {
    return `http://127.0.0.1:${this.api[0]!.port}`;
  }

  get apiUrls(): string[] {
    return this.api.map(({ port }) => `http://127.0.0.1:${port}`);
  }

  of(service: Service): Replica[] {
    return this.replicas.filter(({ slot }) => slot.service === service);
  }

  named(name: string): Replica {
    const replica = this.replicas.find(({ slot }) => slot.name === name);
    if (!replica) throw new Error(`There is no process ${name}.`);
    return replica;
  }

  /** Opens a further way to a port, as a part of this cluster. */
  async link(name: string, port: number): Promise<Link> {
    const link = await openLink(new Link(name, port));
    this.#links.push(link);
    return link;
  }

  async startServices(): Promise<void> {
    await this.#releasePorts();
    for (const { slot } of this.replicas) slot.start();
    for (const { slot } of this.replicas) {
      if (!(await slot.untilReady())) throw new Error(`${slot.name} does not start:\n${slot.lastWords}`);
    }
  }

  /** Takes every fault of the network back and lets every process run. */
  async heal(): Promise<void> {
    for (const link of this.#links) await link.heal();
    for (const { slot } of this.replicas) slot.thaw();
    this.rabbit.thaw();
  }

  /** A connection to Postgres that no fault is put upon, save the server's own end. */
  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({
      connectionString: this.databaseUrl,
      connectionTimeoutMillis: 3_000,
      query_timeout: 30_000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async stopServices(): Promise<void> {
    await Promise.all(this.replicas.map(({ slot }) => slot.stop()));
  }

  /** Ends everything, services first. */
  async stop(): Promise<void> {
    await this.heal().catch(() => undefined);
    await this.stopServices();
    await Promise.all([this.postgres.stop(), this.rabbit.stop()]);
    await Promise.all(this.#links.map((link) => link.down()));
    await this.#releasePorts();
  }

  async #releasePorts(): Promise<void> {
    await Promise.all(this.#held.splice(0).map((port) => port.release()));
  }
}

/** @throws what kept one of the servers from starting, once the other one is stopped */
async function bothOrNone<One extends Stoppable, Other extends Stoppable>(
  starting: [PromiseSettledResult<One>, PromiseSettledResult<Other>],
): Promise<[One, Other]> {
  const [one, other] = starting;
  if (one.status === 'fulfilled' && other.status === 'fulfilled') return [one.value, other.value];
  for (const server of starting) if (server.status === 'fulfilled') await server.value.stop();
  throw new Error('a server of the run does not start', {
    cause: one.status === 'rejected' ? one.reason : other.status === 'rejected' ? other.reason : null,
  });
}

interface Stoppable {
  stop(): Promise<void>;
}

async function openLink(link: Link): Promise<Link> {
  for (let tries = 0; ; tries++) {
    try {
      await link.up(await freeConsecutivePorts(1));
      return link;
    } catch (error) {
      if (tries === 10) throw error;
    }
  }
}

interface HeldPort {
  readonly port: number;
  release(): Promise<void>;
}

/** Keeps a free port until its service is about to start. */
async function holdPort(): Promise<HeldPort> {
  const link = new Link('held', 0);
  await openLink(link);
  return { port: link.port, release: () => link.down() };
}

const portOf = (url: string): number => Number(new URL(url).port);

function through(databaseUrl: string, link: Link): string {
  const url = new URL(databaseUrl);
  url.port = String(link.port);
  return url.href;
}
