import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { passwordVerifier } from './password-verifier.js';
import {
  databaseRoles,
  defaultRolePrefix,
  grantStatements,
  roleName,
  roleStatements,
  type DatabaseRole,
} from './role-statements.js';

export interface DatabaseRoleOptions {
  readonly prefix?: string;
  /** A role without one keeps what it has. */
  readonly passwords?: Readonly<Partial<Record<DatabaseRole, string>>>;
}

// Any number that nobody else uses; not the one under which migrations take turns, so that they may run inside.
const rolesLock = 4_158_305_113;

/**
 * Makes the roles under which the services and the migrator come to this database, gives the migrator what is there, and
 * each service its rights. Repeating it changes nothing but passwords that are given.
 *
 * @throws Error when the user of `url` may not make roles, or owns too little, and when such a role may do too much
 */
export async function createDatabaseRoles(url: string, options: DatabaseRoleOptions = {}): Promise<void> {
  const { prefix = defaultRolePrefix, passwords = {} } = options;
  await inOneTransaction(url, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [rolesLock]);
    const { rows } = await client.query<{ name: string }>('select quote_ident(current_database()) as name');
    for (const statement of roleStatements(rows[0]!.name, prefix)) await client.query(statement);
    for (const [role, password] of Object.entries(passwords) as [DatabaseRole, string][]) {
      await client.query(`alter role ${roleName(role, prefix)} password '${passwordVerifier(password)}'`);
    }
    await refuseMightyRoles(client, prefix);
    if (await isMigrated(client)) for (const statement of grantStatements(prefix)) await client.query(statement);
  });
}

/** Gives the services their rights on what is there by now; does nothing where there are no such roles. */
export async function grantToServices(url: string, prefix: string = defaultRolePrefix): Promise<boolean> {
  return inOneTransaction(url, async (client) => {
    const names = databaseRoles.map((role) => roleName(role, prefix));
    const { rows } = await client.query<{ all_there: boolean }>(
      'select count(*) = cardinality($1::text[]) as all_there from pg_roles where rolname = any($1)',
      [names],
    );
    if (rows[0]?.all_there !== true) return false;
    for (const statement of grantStatements(prefix)) await client.query(statement);
    return true;
  });
}

/** A role of that name that was there before may be more than it should be. */
async function refuseMightyRoles(client: Client, prefix: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select rolname as name from pg_roles
     where rolname = any($1) and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)`,
    [databaseRoles.map((role) => roleName(role, prefix))],
  );
  if (rows.length > 0)
    throw new Error(`These roles exist and may do too much: ${rows.map(({ name }) => name).join(', ')}.`);
}

async function isMigrated(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('public.migrations') is not null as there`,
  );
  return rows[0]?.there === true;
}

async function inOneTransaction<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({
    connectionString: url,
    application_name: 'assent-roles',
    connectionTimeoutMillis: 5_000,
  });
  await client.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } finally {
    await client.end();
  }
}

/** Every password that the environment holds; a role without one keeps what it has. */
function passwordsOf(env: Readonly<Record<string, string | undefined>>): Partial<Record<DatabaseRole, string>> {
  const given: Record<DatabaseRole, string | undefined> = {
    migrator: env['ASSENT_MIGRATOR_DATABASE_PASSWORD'],
    'rules-service': env['ASSENT_RULES_SERVICE_DATABASE_PASSWORD'],
    'ciba-worker': env['ASSENT_CIBA_WORKER_DATABASE_PASSWORD'],
    poller: env['ASSENT_POLLER_DATABASE_PASSWORD'],
    'decision-service': env['ASSENT_DECISION_SERVICE_DATABASE_PASSWORD'],
  };
  return Object.fromEntries(Object.entries(given).filter(([, password]) => password));
}

async function main(): Promise<void> {
  const url = process.env['DATABASE_URL'];
  if (!url) throw new Error('DATABASE_URL is not set: give the address as a user that may make roles.');
  const prefix = process.env['ASSENT_DATABASE_ROLE_PREFIX'] || defaultRolePrefix;
  await createDatabaseRoles(url, { prefix, passwords: passwordsOf(process.env) });
  process.stdout.write(`Roles: ${databaseRoles.map((role) => roleName(role, prefix)).join(', ')}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: unknown) => {
    process.stderr.write(`The roles were not made: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
