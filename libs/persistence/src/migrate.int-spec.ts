import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { Client } from 'pg';
import { freshDatabase } from '../../../test/support/postgres.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The program as `npm run migrate` starts it, from the sources. */
async function run(env: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
  const hooks = `data:text/javascript,${encodeURIComponent(
    `import { register } from 'node:module'; register('./scripts/typescript-hooks.mjs', ${JSON.stringify(`file://${root}`)});`,
  )}`;
  try {
    const answer = await promisify(execFile)(process.execPath, ['--import', hooks, 'libs/persistence/src/migrate.ts'], {
      cwd: root,
      env: { PATH: process.env['PATH'], ...env },
    });
    return { code: 0, ...answer };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

it('says what it did', async () => {
  const database = await freshDatabase();
  expect(await run({ DATABASE_URL: database.url })).toMatchObject({
    code: 0,
    stdout: 'Nothing to migrate.\n',
    stderr: '',
  });
  await database.drop();
});

it('begins a migration again that the server gave up in favour of requests under way', async () => {
  const database = await freshDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(`
      delete from migrations where timestamp = (select max(timestamp) from migrations);
      create sequence times;
      create function lock_crossed() returns event_trigger language plpgsql as $$
      begin
        if nextval('times') = 1 then raise exception 'deadlock detected' using errcode = 'deadlock_detected'; end if;
      end $$;
      create event trigger lock_crossed on ddl_command_start execute function lock_crossed()`);
    const { code, stdout } = await run({ DATABASE_URL: database.url });
    expect(stdout).toMatch(/^Migrated: \w+\n$/m);
    expect(code).toBe(0);
    const { rows } = await client.query<{ times: number }>('select last_value::integer as times from times');
    expect(rows[0]!.times).toBeGreaterThan(1);
  } finally {
    await client.end();
    await database.drop();
  }
});

it.each([
  ['no address', {}, /^Migration failed: DATABASE_URL is not set: [^\n]+\n$/],
  [
    'nobody there',
    { DATABASE_URL: 'postgres://a:secret@127.0.0.1:1/x' },
    /^Migration failed: [^\n]*ECONNREFUSED[^\n]*\n$/,
  ],
])('says in one line why it could not: %s', async (_, env, line) => {
  const { code, stderr } = await run(env);
  expect(code).toBe(1);
  expect(stderr).toMatch(line);
  expect(stderr).not.toContain('secret');
});
