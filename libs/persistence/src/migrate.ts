import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DataSource, type QueryRunner } from 'typeorm';
import { dataSourceOptions } from './connection.js';
import { grantToServices } from './database-roles/create-database-roles.js';
import { isContended, isUnavailable } from './errors.js';
import { silent, type PersistenceLog } from './log.js';

// Any number that nobody else uses; the same in every release.
const migrationLock = 4_158_305_112;

export interface MigrateOptions {
  readonly log?: PersistenceLog;
  /** Given: a server that is away is waited for, until the signal aborts. */
  readonly waitUntil?: AbortSignal;
  /** How the names of the services' roles begin; `assent_` unless given. */
  readonly rolePrefix?: string | undefined;
}

const awayText = 'The database does not answer; trying until it does.';
const turnText = 'Another process migrates the database; waiting for it to end.';
const whatToDoText =
  'Nothing is half done, and what was migrated stays. Run `npm run migrate` again at a quieter time, or with the services stopped.';
const tryAgainMs = 1000;
const turnMs = 200;
/** Attempts in all while the server gives them up for others. */
const maxAttempts = 10;

/**
 * Brings the schema up to date, forward only; answers the names of the migrations that ran. Processes that call it
 * together take turns under an advisory lock, and all but the first find nothing to do. A migration that the server gave up
 * for the sake of requests that are under way is begun again, ten times at most; the log tells each time why. Where the
 * services have roles of their own, they then have their rights on what is new.
 *
 * @throws Error that says what to do when the server has given it up each time; what the database fails with otherwise;
 *   the reason of `waitUntil`
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<string[]> {
  const { log = silent, waitUntil, rolePrefix } = options;
  let toldAway = false;
  let givenUp = 0;
  for (;;) {
    waitUntil?.throwIfAborted();
    try {
      const names = await migrateOnce(url, log, waitUntil);
      // Also when nothing was to be done: a process may have died between the two.
      await grantToServices(url, rolePrefix);
      return names;
    } catch (error) {
      // Each migration is one transaction, and an old version may work on meanwhile: their locks may have crossed.
      if (isContended(error)) {
        givenUp++;
        if (givenUp === maxAttempts) throw exhausted(error);
        const text = `A migration was given up for others; it begins again (attempt ${givenUp + 1} of ${maxAttempts}).`;
        log('warn', text, { problem: reasonOf(error) });
      } else {
        if (waitUntil === undefined || !isUnavailable(error)) throw error;
        if (!toldAway) log('warn', awayText, { problem: reasonOf(error) });
        toldAway = true;
      }
    }
    await pause(tryAgainMs, undefined, { signal: waitUntil });
  }
}

const exhausted = (cause: unknown): Error =>
  new Error(`the server gave it up for others ${maxAttempts} times (${reasonOf(cause)}). ${whatToDoText}`, { cause });

async function migrateOnce(url: string, log: PersistenceLog, waitUntil: AbortSignal | undefined): Promise<string[]> {
  const options = dataSourceOptions({ url, applicationName: 'assent-migrate', poolSize: 2, log });
  // A migration may take as long as it takes.
  const dataSource = new DataSource({ ...options, extra: { connectionTimeoutMillis: 5_000 } });
  await dataSource.initialize();
  const lock = dataSource.createQueryRunner();
  try {
    await waitForTurn(lock, log, waitUntil);
    const done = await dataSource.runMigrations();
    const names = done.map((migration) => migration.name);
    if (names.length > 0) log('info', 'Migrated the database.', { migrations: names });
    return names;
  } finally {
    // Ending the session releases the lock.
    await lock.release();
    await dataSource.destroy();
  }
}

// By asking again: whoever waited within a statement would hold a snapshot, for which an index that is being built
// concurrently waits in turn.
async function waitForTurn(lock: QueryRunner, log: PersistenceLog, waitUntil: AbortSignal | undefined): Promise<void> {
  const asked = async () => {
    const rows = (await lock.query('select pg_try_advisory_lock($1) as taken', [migrationLock])) as {
      taken: boolean;
    }[];
    return rows[0]?.taken === true;
  };
  for (let told = false; !(await asked()); told = true) {
    if (!told) log('warn', turnText);
    await pause(turnMs, undefined, { signal: waitUntil });
  }
}

/** Why it takes its time; what it did in the end the program says itself. */
const toStderr: PersistenceLog = (level, message, { problem } = {}) => {
  if (level === 'info') return;
  process.stderr.write(typeof problem === 'string' ? `${message} ${problem}\n` : `${message}\n`);
};

async function main(): Promise<void> {
  const url = process.env['DATABASE_URL'];
  if (url === undefined || url === '')
    throw new Error('DATABASE_URL is not set: give postgres://user:password@host:port/database.');
  const rolePrefix = process.env['ASSENT_DATABASE_ROLE_PREFIX'] || undefined;
  const names = await migrate(url, { rolePrefix, log: toStderr });
  process.stdout.write(names.length > 0 ? `Migrated: ${names.join(', ')}\n` : 'Nothing to migrate.\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: unknown) => {
    process.stderr.write(`Migration failed: ${reasonOf(error)}\n`);
    process.exitCode = 1;
  });
}

// A refused connection to a name with several addresses has its reasons inside.
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message.split('\n')[0]! : String(error);
}
