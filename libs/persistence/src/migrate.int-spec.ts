import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
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
