import type { Pool } from 'pg';
import { codeLevel, neededMigrations } from './schema-level.js';

/** What is looked at before a database is used, and again while it is. */
export const fitnessChecks = [
  'database',
  'durability',
  'primary',
  'server',
  'migrations',
  'clock',
  'master-keys',
] as const;
export type FitnessCheck = (typeof fitnessChecks)[number];

/** Why a database must not be used just now, and what mends it. */
export interface Unfitness {
  readonly check: FitnessCheck;
  readonly reason: string;
  readonly whatToDo: string;
}

/** How far the clock of this process may be from the database's, in ms. */
const clockToleranceMs = 2000;

/** Looks at the server, the schema and the clocks; answers what is wrong. Rejects when the database does not answer. */
export async function judgeFitness(pool: Pool): Promise<Unfitness[]> {
  const askedAtMs = performance.now();
  const { rows } = await pool.query<Facts>({ name: 'assent_judge_fitness', text: selectFacts });
  const roundTripMs = performance.now() - askedAtMs;
  const facts = rows[0]!;
  // The database read its clock at some moment of the round trip; half of it is the best guess, and how wrong it may be.
  const aheadMs = Date.now() - roundTripMs / 2 - facts.now.getTime();
  return [
    ...durability(facts),
    ...primary(facts),
    ...server(facts),
    ...(await schema(pool, facts)),
    ...clock(aheadMs, roundTripMs / 2),
  ];
}

interface Facts {
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly standby: boolean;
  readonly isolation: string;
  readonly encoding: string;
  readonly version: number;
  readonly migrated: boolean;
  readonly has_floor: boolean;
  readonly now: Date;
}

const selectFacts = /* sql */ `
  select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit, pg_is_in_recovery() as standby,
    current_setting('default_transaction_isolation') as isolation, current_setting('server_encoding') as encoding,
    current_setting('server_version_num')::integer as version,
    to_regclass('migrations') is not null as migrated, to_regclass('schema_floor') is not null as has_floor,
    clock_timestamp() as now`;

function durability(facts: Facts): Unfitness[] {
  const off = (['fsync', 'full_page_writes', 'synchronous_commit'] as const).filter((name) => facts[name] === 'off');
  return off.map((name) => ({
    check: 'durability',
    reason: `${name} is off: acknowledged commits can be lost`,
    whatToDo: `Set ${name} = on at the server (and for this role and database), and reload its configuration.`,
  }));
}

function primary({ standby }: Facts): Unfitness[] {
  if (!standby) return [];
  const whatToDo = 'Point DATABASE_URL at the primary, or promote this server.';
  return [{ check: 'primary', reason: 'the server is a standby', whatToDo }];
}

function server(facts: Facts): Unfitness[] {
  const found: Unfitness[] = [];
  if (facts.isolation !== 'read committed') {
    found.push({
      check: 'server',
      reason: `default_transaction_isolation is ${facts.isolation}`,
      whatToDo: 'Set default_transaction_isolation = read committed for this role or database.',
    });
  }
  if (facts.encoding !== 'UTF8') {
    const reason = `the encoding is ${facts.encoding}, not UTF8`;
    found.push({ check: 'server', reason, whatToDo: 'Create the database with the encoding UTF8.' });
  }
  if (facts.version < 150_000) {
    const reason = 'the server is older than PostgreSQL 15';
    found.push({ check: 'server', reason, whatToDo: 'Use PostgreSQL 15 or newer.' });
  }
  return found;
}

async function schema(pool: Pool, { migrated, has_floor }: Facts): Promise<Unfitness[]> {
  const done = new Set<string>();
  if (migrated) {
    const { rows } = await pool.query<{ name: string }>('select name from migrations');
    for (const { name } of rows) done.add(name);
  }
  const missing = neededMigrations.filter((name) => !done.has(name));
  if (missing.length > 0) {
    const reason = `migrations are missing (${missing.join(', ')})`;
    return [{ check: 'migrations', reason, whatToDo: 'Run `npm run migrate`; the service goes on by itself.' }];
  }
  // Migrations that this version does not know only add something, unless they say otherwise.
  const floor = has_floor ? await pool.query<{ level: string }>('select level from schema_floor') : { rows: [] };
  const level = Number(floor.rows[0]?.level ?? 0);
  if (level <= codeLevel) return [];
  return [
    {
      check: 'migrations',
      reason: `the schema has moved on: it needs a version that knows migration ${level}, and this one knows ${codeLevel}`,
      whatToDo: 'Run the newer version; this one is too old for the database.',
    },
  ];
}

function clock(aheadMs: number, doubtMs: number): Unfitness[] {
  if (Math.abs(aheadMs) - doubtMs <= clockToleranceMs) return [];
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1);
  return [
    {
      check: 'clock',
      reason: `the clock of this machine is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the database's`,
      whatToDo: 'Synchronise both clocks (NTP); the service goes on by itself.',
    },
  ];
}
