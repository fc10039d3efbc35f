import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { freshDatabase } from '../../../test/support/postgres.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const hooks = `data:text/javascript,${encodeURIComponent(
  `import { register } from 'node:module'; register('./scripts/typescript-hooks.mjs', ${JSON.stringify(`file://${root}`)});`,
)}`;
/** The program as `npm run migrate` starts it, from the sources. */
const program = ['--import', hooks, 'libs/persistence/src/migrate.ts'];
const settings = (env: Record<string, string>) => ({ cwd: root, env: { PATH: process.env['PATH'], ...env } });

async function run(env: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, program, settings(env))) };
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

describe('a migration that the server gives up in favour of requests under way', () => {
  /** A database whose last migration is missing, and gives way so many times. */
  async function givingWay(times: number) {
    const database = await freshDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(`
      delete from migrations where timestamp = (select max(timestamp) from migrations);
      create sequence times;
      create function lock_crossed() returns event_trigger language plpgsql as $$
      begin
        if nextval('times') <= ${times} then
          raise exception 'deadlock detected' using errcode = 'deadlock_detected';
        end if;
      end $$;
      create event trigger lock_crossed on ddl_command_start execute function lock_crossed()`);
    return {
      url: database.url,
      attempts: async () => {
        const { rows } = await client.query<{ times: number }>('select last_value::integer as times from times');
        return rows[0]!.times;
      },
      drop: async () => {
        await client.end();
        await database.drop();
      },
    };
  }

  it('is begun again, and each time told of', async () => {
    const { url, attempts, drop } = await givingWay(2);
    const { code, stdout, stderr } = await run({ DATABASE_URL: url });
    expect(stdout).toMatch(/^Migrated: \w+\n$/m);
    expect(code).toBe(0);
    expect(stderr.split('\n')).toEqual([
      'A migration was given up for others; it begins again (attempt 2 of 10). deadlock detected',
      'A migration was given up for others; it begins again (attempt 3 of 10). deadlock detected',
      '',
    ]);
    expect(await attempts()).toBeGreaterThan(2);
    await drop();
  });

  it('is left after ten attempts, with a word on what to do', async () => {
    const { url, attempts, drop } = await givingWay(1_000);
    const { code, stdout, stderr } = await run({ DATABASE_URL: url });
    expect(code).toBe(1);
    expect(stdout).not.toContain('Migrated');
    expect(await attempts()).toBe(10);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toMatch(/^Migration failed: .*10 times \(deadlock detected\)\..*`npm run migrate` again/);
    await drop();
  });
});

it('says that it waits while another process migrates, and goes on after it', async () => {
  const database = await freshDatabase();
  const other = new Client({ connectionString: database.url });
  await other.connect();
  await other.query('select pg_advisory_lock(4158305112)');
  const waiting = spawn(process.execPath, program, settings({ DATABASE_URL: database.url }));
  const [said] = (await once(waiting.stderr, 'data')) as [Buffer];
  expect(said.toString()).toBe('Another process migrates the database; waiting for it to end.\n');
  await other.end();
  expect((await once(waiting, 'exit'))[0]).toBe(0);
  await database.drop();
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
