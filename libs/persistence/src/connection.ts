import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { isUnavailable, UnsafeDatabase } from './errors.js';
import type { PersistenceLog } from './log.js';
import { migrations } from './migrations/index.js';
import { tables } from './tables/index.js';

export interface ConnectionOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly poolSize: number;
  readonly log: PersistenceLog;
  readonly signal?: AbortSignal | undefined;
}

/** The pool, and TypeORM's view of it. */
export interface Connection {
  readonly dataSource: DataSource;
  readonly pool: Pool;
}

const limits = {
  connectionTimeoutMillis: 5_000,
  lock_timeout: 5_000,
  statement_timeout: 15_000,
  // Longer than the server's own limit: it only ends waiting for a server that froze.
  query_timeout: 20_000,
  idle_in_transaction_session_timeout: 30_000,
};

const retryDelayMs = 1_000;

/**
 * Opens the pool and keeps trying while the server is away, until `signal` aborts. Throws `UnsafeDatabase` when the
 * server could lose or misjudge commits, or when migrations are missing.
 */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  for (let told = false; ; told = true) {
    options.signal?.throwIfAborted();
    try {
      const connection = await connectOnce(options);
      if (told) options.log('info', 'The database answers.');
      return connection;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (!told) options.log('warn', 'The database does not answer; trying until it does.', { problem: String(error) });
    }
    await delay(retryDelayMs, undefined, options.signal && { signal: options.signal });
  }
}

async function connectOnce(options: ConnectionOptions): Promise<Connection> {
  const dataSource = new DataSource(dataSourceOptions(options));
  await dataSource.initialize();
  // TypeORM keeps the pool of `pg` there; its types do not say so.
  const { master: pool } = dataSource.driver as unknown as { master: Pool };
  try {
    listenForErrors(pool);
    await checkSafety(pool);
    await checkMigrations(pool);
    return { dataSource, pool };
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

/** How TypeORM reaches the database; the lists are explicit, and nothing is ever synchronised. */
export function dataSourceOptions(options: Omit<ConnectionOptions, 'signal'>): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.url,
    entities: tables,
    migrations,
    synchronize: false,
    installExtensions: false,
    migrationsTransactionMode: 'each',
    logging: false,
    applicationName: options.applicationName,
    poolSize: options.poolSize,
    poolErrorHandler: (error: Error) =>
      options.log('warn', 'A database connection was lost.', { problem: error.message }),
    extra: { ...limits, keepAlive: true },
  };
}

// Without its own listener a connection that breaks while it is checked out ends the process.
function listenForErrors(pool: Pool): void {
  const ignore = (client: PoolClient) => client.on('error', () => undefined);
  pool.on('connect', ignore);
}

async function checkSafety(pool: Pool): Promise<void> {
  const { rows } = await pool.query<Record<string, string | boolean>>(`
    select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
      current_setting('synchronous_commit') as synchronous_commit, pg_is_in_recovery() as standby,
      current_setting('default_transaction_isolation') as isolation, current_setting('server_encoding') as encoding,
      current_setting('server_version_num')::integer >= 150000 as recent`);
  const found = rows[0]!;
  const problems = [
    found['fsync'] === 'on' ? null : 'fsync is off',
    found['full_page_writes'] === 'on' ? null : 'full_page_writes is off',
    found['synchronous_commit'] === 'off' ? 'synchronous_commit is off' : null,
    found['standby'] === true ? 'the server is a standby' : null,
    found['isolation'] === 'read committed' ? null : `default_transaction_isolation is ${String(found['isolation'])}`,
    found['encoding'] === 'UTF8' ? null : `the encoding is ${String(found['encoding'])}, not UTF8`,
    found['recent'] === true ? null : 'the server is older than PostgreSQL 15',
  ].filter((problem) => problem !== null);
  if (problems.length > 0) throw new UnsafeDatabase(`The database is not safe to use: ${problems.join('; ')}.`);
}

async function checkMigrations(pool: Pool): Promise<void> {
  const { rows: tables } = await pool.query<{ there: boolean }>(
    `select to_regclass('migrations') is not null as there`,
  );
  const done = new Set<string>();
  if (tables[0]!.there) {
    const { rows } = await pool.query<{ name: string }>('select name from migrations');
    for (const { name } of rows) done.add(name);
  }
  const missing = migrations.map((migration) => migration.name).filter((name) => !done.has(name));
  if (missing.length > 0) {
    throw new UnsafeDatabase(`Migrations are missing (${missing.join(', ')}): run \`npm run migrate\` first.`);
  }
}
