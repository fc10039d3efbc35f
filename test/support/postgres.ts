import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, startEmbeddedPostgres, type EmbeddedPostgres } from '#lib/persistence';
import { Client } from 'pg';
import { useRunServer } from './run-servers.js';

/** A migrated, empty database of one test file. */
export interface FreshDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A PostgreSQL server of our own, on the loopback address, with its files in a directory of its own. */
export interface TestPostgres {
  /** A superuser's address of the server's first database. */
  readonly url: string;
  /** The server's data directory. */
  readonly data: string;
  /** Ends the server as a power cut would, save that the operating system lives on; its files stay. */
  kill9(): Promise<void>;
  /** Starts it again on the same port with the same files, after stopping it if it runs. */
  restart(): Promise<void>;
  freshDatabase(): Promise<FreshDatabase>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

// Small, with room for the connections of many services, and as safe as in production: fsync stays on.
const settings = { max_connections: '300', shared_buffers: '64MB', max_wal_size: '256MB' };

/** Starts a private server. */
export async function startPostgres(): Promise<TestPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'assent-postgres-'));
  let server: EmbeddedPostgres = await startEmbeddedPostgres({ dir: directory, settings });
  const port = Number(new URL(server.url).port);
  return {
    url: server.url,
    data: join(directory, 'data'),
    async kill9() {
      process.kill(server.pid, 'SIGKILL');
      while (isAlive(server.pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async restart() {
      await server.stop();
      server = await startEmbeddedPostgres({ dir: directory, port, settings });
    },
    freshDatabase: () => cloneTemplate(server.url),
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * A database of the server of this run, or of `ASSENT_TEST_DATABASE_URL` (a superuser's address). Outside of a run each
 * process starts a server of its own, which ends with its last database.
 */
export async function freshDatabase(): Promise<FreshDatabase> {
  await useRunServer('postgres');
  const shared = process.env['ASSENT_TEST_DATABASE_URL'];
  return shared ? cloneTemplate(shared) : cloneOfOwnServer();
}

let own: { server: Promise<TestPostgres>; databases: number } | null = null;

async function cloneOfOwnServer(): Promise<FreshDatabase> {
  const mine = (own ??= { server: startPostgres(), databases: 0 });
  mine.databases++;
  const server = await mine.server;
  const database = await server.freshDatabase();
  return {
    url: database.url,
    async drop() {
      await database.drop();
      if (--mine.databases > 0) return;
      own = null;
      await server.stop();
    },
  };
}

async function cloneTemplate(serverUrl: string): Promise<FreshDatabase> {
  const template = await ensureTemplate(serverUrl);
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(serverUrl, (admin) => admin.query(`create database ${name} template ${template}`));
  return {
    url: databaseUrl(serverUrl, name),
    drop: () => asAdmin(serverUrl, (admin) => admin.query(`drop database if exists ${name} with (force)`)),
  };
}

// Any number that nobody else uses.
const templateLock = 7_262_114_001;

/** Migrates one database per server and state of the migrations; processes that come together take turns. */
async function ensureTemplate(serverUrl: string): Promise<string> {
  const name = `assent_template_${await migrationsHash()}`;
  await asAdmin(serverUrl, async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [templateLock]);
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [name]);
    if (rowCount !== 0) return;
    await admin.query(`drop database if exists ${name}_new with (force)`);
    await admin.query(`create database ${name}_new`);
    await migrate(databaseUrl(serverUrl, `${name}_new`));
    // A half-migrated database never bears the template's name.
    await admin.query(`alter database ${name}_new rename to ${name}`);
  });
  return name;
}

async function migrationsHash(): Promise<string> {
  const directory = new URL('../../libs/persistence/src/migrations/', import.meta.url);
  const hash = createHash('sha256');
  for (const file of (await readdir(directory)).sort())
    hash.update(file).update(await readFile(new URL(file, directory)));
  return hash.digest('hex').slice(0, 16);
}

/** Runs statements as the superuser of a server. */
export async function asAdmin(serverUrl: string, work: (admin: Client) => Promise<unknown>): Promise<void> {
  const admin = new Client({ connectionString: databaseUrl(serverUrl, 'postgres') });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
