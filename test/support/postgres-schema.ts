import { Client } from 'pg';

/**
 * The schema of a database as text, from its catalogue: the same for every version of PostgreSQL that we support. It is
 * committed as docs/schema.sql, so that the effect of a migration shows in its diff.
 */
export async function describeSchema(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const lines = async (sql: string) => (await client.query<{ line: string }>(sql)).rows.map(({ line }) => line);
    const tables = await lines(tableNames);
    const parts = [header];
    for (const table of tables) parts.push(await describeTable(client, table));
    parts.push(...(await lines(functions)), ...(await lines(triggers)));
    return `${parts.join('\n\n')}\n`;
  } finally {
    await client.end();
  }
}

const header =
  '-- The schema after all migrations, generated from a migrated database; a test compares them.\n' +
  '-- Change it by a migration in libs/persistence/src/migrations; UPDATE_SCHEMA=1 then makes the test write it.';

async function describeTable(client: Client, table: string): Promise<string> {
  const lines = async (sql: string) =>
    (await client.query<{ line: string }>(sql, [table])).rows.map(({ line }) => line);
  const members = [...(await lines(columns)), ...(await lines(constraints))].map((line) => `  ${line}`);
  const indexLines = await lines(indexes);
  return [`create table ${table} (`, members.join(',\n'), ');', ...indexLines.map((line) => `${line};`)].join('\n');
}

// TypeORM's own book of what has run is not ours to describe.
const tableNames = /* sql */ `
  select relname as line from pg_class
  where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'migrations' order by relname`;

const columns = /* sql */ `
  select concat(a.attname, ' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' end,
    case when a.attidentity = 'a' then ' generated always as identity' end,
    ' default ' || pg_get_expr(d.adbin, d.adrelid)) as line
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;

// Newer versions list NOT NULL as constraints of its own; the columns say it already.
const constraints = /* sql */ `
  select concat('constraint ', conname, ' ', pg_get_constraintdef(oid)) as line
  from pg_constraint where conrelid = $1::regclass and contype in ('p', 'u', 'c', 'f')
  order by array_position(array['p', 'u', 'c', 'f'], contype::text), conname`;

const indexes = /* sql */ `
  select pg_get_indexdef(i.indexrelid) as line
  from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = $1::regclass and not exists (select from pg_constraint where conindid = i.indexrelid)
  order by c.relname`;

const functions = /* sql */ `
  select pg_get_functiondef(oid) || ';' as line from pg_proc where pronamespace = 'public'::regnamespace order by proname`;

const triggers = /* sql */ `
  select pg_get_triggerdef(t.oid) || ';' as line
  from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where not t.tgisinternal and c.relnamespace = 'public'::regnamespace order by t.tgname`;
