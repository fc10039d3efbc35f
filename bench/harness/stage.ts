import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateMasterKey, migrate, startEmbeddedPostgres, type EmbeddedPostgres } from '#lib/persistence';
import pg from 'pg';
import { freeConsecutivePorts } from '../../test/support/rabbitmq-ports.js';
import { startRabbit, type Rabbit } from '../../test/support/rabbitmq.js';
import { AssentService, type ServiceName } from './assent-service.js';
import type { Outside } from '../outside/main.js';
import { ProcessorTime } from './processor-time.js';
import { Program } from './program.js';
import { startRedis, type Redis } from './redis.js';

/** As safe as in production (fsync stays on), with the memory that a small server has. */
const postgresSettings = {
  max_connections: '600',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
};

export interface StageOptions {
  readonly quick: boolean;
  /** Where the processor profiles of the services go; null: none are made. */
  readonly profileTo: string | null;
}

/** The servers of one scenario, all private and all its own. */
export class Stage {
  readonly #services: AssentService[] = [];
  readonly #databaseUrls: string[] = [];
  readonly #programs: Program[] = [];
  #redis: Redis | null = null;

  private constructor(
    readonly options: StageOptions,
    private readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
    readonly rabbit: Rabbit,
    readonly outside: Program & { readonly started: Outside },
    readonly load: Program,
    readonly masterKeys: string,
    readonly apiKey: string,
  ) {}

  static async open(options: StageOptions): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'assent-bench-'));
    // PostgreSQL runs as another user when this is root.
    await chmod(folder, 0o755);
    const [postgres, rabbit, outside, load] = await Promise.all([
      startEmbeddedPostgres({ dir: join(folder, 'postgres'), settings: postgresSettings }),
      startRabbit(),
      Program.start<Outside>('outside/main.ts', null),
      Program.start('load/main.ts', null),
    ]);
    const apiKey = `assent_bench_${randomBytes(24).toString('base64url')}`;
    return new Stage(options, folder, postgres, rabbit, outside, load, generateMasterKey(), apiKey);
  }

  /** An empty database with Assent's schema in it. */
  async freshDatabase(): Promise<string> {
    const url = await this.emptyDatabase();
    await migrate(url);
    return url;
  }

  /** A database with nothing in it. */
  async emptyDatabase(): Promise<string> {
    const name = `bench_${randomBytes(6).toString('hex')}`;
    const url = new URL(this.postgres.url);
    const admin = new pg.Client({ connectionString: this.postgres.url });
    await admin.connect();
    await admin.query(`create database ${name}`).finally(() => admin.end());
    url.pathname = `/${name}`;
    this.#databaseUrls.push(url.href);
    return url.href;
  }

  /**
   * Brings the statistics of all databases up to date, whoever they belong to. Of a new database the server knows nothing for up
   * to a minute, and reads whole tables meanwhile: longer than most scenarios take, and than anybody should judge by.
   */
  async analyze(): Promise<void> {
    for (const connectionString of this.#databaseUrls) {
      const database = new pg.Client({ connectionString });
      await database.connect();
      await database.query('analyze').finally(() => database.end());
    }
  }

  /** A service of Assent with this database and the stage's broker; started. */
  async service(name: ServiceName, databaseUrl: string, more: Readonly<Record<string, string>> = {}) {
    const { profileTo } = this.options;
    const args =
      profileTo === null
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`];
    const port = await freeConsecutivePorts(1);
    const env = {
      DATABASE_URL: databaseUrl,
      AMQP_URL: this.rabbit.url,
      ASSENT_MASTER_KEYS: this.masterKeys,
      ASSENT_API_KEY: this.apiKey,
      ASSENT_PUBLIC_URL: `http://127.0.0.1:${port}`,
      ASSENT_ALLOW_LOOPBACK: 'true',
      ASSENT_FAREWELL_SECONDS: '0',
      ...more,
    };
    const service = new AssentService(name, port, env, args);
    this.#services.push(service);
    return service.start();
  }

  /** The address of a virtual host of its own at the broker, for services that must not meet others. */
  async virtualHost(name: string): Promise<string> {
    const url = new URL(this.rabbit.url);
    const user = decodeURIComponent(url.username) || 'guest';
    const all = '<<".*">>, <<".*">>, <<".*">>';
    // One call for both: every rabbitmqctl starts a virtual machine.
    const add = `rabbit_vhost:add(<<"${name}">>, <<"bench">>)`;
    const permit = `rabbit_auth_backend_internal:set_permissions(<<"${user}">>, <<"${name}">>, ${all}, <<"bench">>)`;
    await this.rabbit.ctl(['eval', `${add}, ${permit}.`]);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** A program of the benchmark; ended with the stage. */
  async program<Started>(
    file: string,
    config: unknown,
    nodeArgs: readonly string[] = [],
  ): Promise<Program & { readonly started: Started }> {
    const program = await Program.start<Started>(file, config, { nodeArgs });
    this.#programs.push(program);
    return program;
  }

  /** A Redis that keeps what it has confirmed; null where none is installed. */
  async redis(): Promise<Redis | null> {
    this.#redis ??= await startRedis();
    return this.#redis;
  }

  async versions(): Promise<{ postgres: string; rabbitmq: string }> {
    const client = new pg.Client({ connectionString: this.postgres.url });
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version').finally(() => client.end());
    const rabbitmq = (await this.rabbit.ctl(['version'])).trim();
    return { postgres: rows[0]!.server_version.split(' ')[0]!, rabbitmq };
  }

  /** Measures the processor time of the servers and of these processes of a contestant. */
  meter(app: readonly number[]): ProcessorTime {
    return new ProcessorTime({ app, ...this.#servers() });
  }

  /** The processor time of everything on this stage in µs; services and programs are children of this process. */
  ownMicros(): number {
    const own = [process.pid, ...Object.values(this.#servers()).flat()];
    return new ProcessorTime({ own }).read()['own']!;
  }

  #servers(): Record<string, number[]> {
    return {
      postgres: [this.postgres.pid],
      rabbitmq: [Number(readFileSync(join(this.rabbit.directory, 'pid'), 'utf8'))],
      ...(this.#redis && { redis: [this.#redis.pid] }),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await Promise.all([...this.#programs, this.outside, this.load].map((program) => program.stop()));
    await Promise.all([this.postgres.stop(), this.rabbit.stop(), this.#redis?.stop()]);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
