import type { ClientBase, Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { PersistenceLog } from './log.js';
import { migrations } from './migrations/index.js';
import { tables } from './tables/index.js';

export interface ConnectionOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly poolSize: number;
  readonly log: PersistenceLog;
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

/** Opens the pool and connects once; nothing is known yet about whether the database may be used. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const dataSource = new DataSource(dataSourceOptions(options, goByIndex));
  await dataSource.initialize();
  // TypeORM keeps the pool of `pg` there; its types do not say so.
  const { master: pool } = dataSource.driver as unknown as { master: Pool };
  return { dataSource, pool };
}

/**
 * How TypeORM reaches the database; the lists are explicit, and nothing is ever synchronised. `begin` is the first that a
 * session does.
 */
export function dataSourceOptions(
  options: ConnectionOptions,
  begin: (client: ClientBase) => Promise<void> = () => Promise.resolve(),
): DataSourceOptions {
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
    extra: {
      ...limits,
      keepAlive: true,
      onConnect: (client: ClientBase) => {
        listenForErrors(client);
        return begin(client);
      },
    },
  };
}

// Without a listener of its own a connection that breaks while it is checked out ends the process. A hook of the pool, and
// no event of it: the first connection is there before anybody can listen to the pool.
const listenForErrors = (client: ClientBase): void => {
  client.on('error', () => undefined);
};

// Of a new database the planner knows nothing for its first minute. What it plans then reads whole tables, which are small
// as yet, and is kept while they grow. For those who serve requests only: a migration reads whole tables on purpose. Up to
// PostgreSQL 17 the setting makes whatever has no index look so dear that it is compiled before it runs (JIT).
const goByIndex = async (client: ClientBase): Promise<void> => {
  await client.query(
    `select set_config('enable_seqscan', 'off', false) where current_setting('server_version_num')::integer >= 180000`,
  );
};
