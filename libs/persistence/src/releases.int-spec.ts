import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../test/support/postgres.js';
import './index.js';
import { codeLevel } from './schema-level.js';
import { namedStatements } from './sql.js';

/** What an earlier version runs, as recorded when it was the newest. */
interface Release {
  /** The newest migration that it knows. */
  readonly level: number;
  readonly statements: Readonly<Record<string, string>>;
}

const folder = join(import.meta.dirname, 'releases');
// At a release: RECORD_RELEASE=0.2.0 npm run test:jest -- libs/persistence/src/releases
const recorded = process.env['RECORD_RELEASE'];
if (recorded !== undefined) {
  const release: Release = { level: codeLevel, statements: namedStatements() };
  writeFileSync(join(folder, `${recorded}.json`), `${JSON.stringify(release, null, 2)}\n`);
}

const releases = readdirSync(folder).map((file): [string, Release] => [
  file,
  JSON.parse(readFileSync(join(folder, file), 'utf8')) as Release,
]);

/**
 * Expand, then contract. While an upgrade rolls through, the version before works on the new schema, so each of
 * its statements must still be one that the server takes.
 */
describe('the schema', () => {
  let database: FreshDatabase;
  let client: Client;
  beforeAll(async () => {
    database = await freshDatabase();
    client = new Client({ connectionString: database.url });
    await client.connect();
  }, 120_000);
  afterAll(async () => {
    await client?.end();
    await database?.drop();
  }, 60_000);

  /** Names of the statements that the server refuses, with its reason. */
  const refused = async ({ statements }: Release): Promise<Record<string, string>> => {
    const found: Record<string, string> = {};
    for (const [name, text] of Object.entries(statements)) {
      try {
        await client.query(`prepare recorded as ${text}`);
        await client.query('deallocate recorded');
      } catch (error) {
        found[name] = (error as Error).message;
      }
    }
    return found;
  };
  const isCarried = async ({ level }: Release): Promise<boolean> => {
    const { rows } = await client.query<{ level: string }>('select level from schema_floor');
    return Number(rows[0]!.level) <= level;
  };

  it.each(releases)('carries every statement of %s, unless it has raised its floor above it', async (_, release) => {
    expect(Object.keys(release.statements).length).toBeGreaterThan(40);
    expect((await isCarried(release)) ? await refused(release) : {}).toEqual({});
  });

  it('carries what this version runs', async () => {
    expect(await refused({ level: codeLevel, statements: namedStatements() })).toEqual({});
  });

  it('asks nothing new of rows that an earlier version writes', async () => {
    // A column that came later may be left out: it is nullable, has a default, or its whole table is new.
    const [, first] = releases[0]!;
    const words = Object.values(first.statements).join('\n');
    const { rows } = await client.query<{ place: string; table: string; column: string }>(`
      select table_name || '.' || column_name as place, table_name as table, column_name as column
      from information_schema.columns
      where table_schema = 'public' and is_nullable = 'NO' and column_default is null and is_identity = 'NO'`);
    const written = rows.filter(({ table }) => new RegExp(`insert into ${table}\\b`).test(words));
    expect(written.length).toBeGreaterThan(10);
    const unknown = written.filter(({ column }) => !new RegExp(`\\b${column}\\b`).test(words));
    expect(unknown.map(({ place }) => place)).toEqual([]);
  });

  it('would be found out if it took a column away', async () => {
    await client.query('begin');
    await client.query('alter table deliveries drop column lease_until cascade');
    const names = Object.keys((await refusedInside(client, releases[0]![1])) ?? {});
    await client.query('rollback');
    expect(names).toEqual(expect.arrayContaining(['claim_deliveries', 'finish_deliveries']));
  });
});

/** The same inside a transaction that must live on. */
async function refusedInside(client: Client, { statements }: Release): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, text] of Object.entries(statements)) {
    await client.query('savepoint before');
    try {
      await client.query(`prepare recorded as ${text}`);
      await client.query('deallocate recorded');
    } catch (error) {
      found[name] = (error as Error).message;
    }
    await client.query('rollback to savepoint before');
  }
  return found;
}
