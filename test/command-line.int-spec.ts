import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../apps/cli/src/run-cli.js';
import { RulesHouse } from './support/rules-house.js';

let house: RulesHouse;
let folder: string;
beforeAll(async () => {
  house = await RulesHouse.open();
  folder = await mkdtemp(join(tmpdir(), 'assent-cli-'));
});
afterAll(async () => {
  await house.close();
  await rm(folder, { recursive: true });
});

/** Runs the command line in this process, as somebody with every scope. */
async function assent(
  args: readonly string[],
  { input, env = {} }: { input?: string; env?: Record<string, string> } = {},
) {
  let [out, err] = ['', ''];
  const code = await runCli({
    args,
    env: { ASSENT_URL: house.url, ASSENT_API_KEY: house.apiKey, ...env },
    out: { write: (text: string) => (out += text) },
    err: { write: (text: string) => (err += text) },
    ...(input !== undefined && { input: Readable.from([input]) }),
  });
  return { code, out, err };
}

const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

describe('assent audit', () => {
  it('follows the log over the API and in an export, and names the first place that is broken', async () => {
    expect(await assent(['audit', 'verify'])).toMatchObject({ code: 0, out: expect.stringContaining('0 events') });
    for (let round = 0; round < 3; round++) {
      await house.provider();
      await house.provider();
      await house.database.audit.seal();
    }
    const whole = await assent(['audit', 'verify']);
    expect(whole).toMatchObject({ code: 0, err: '' });
    expect(whole.out).toContain('The audit log is whole.\n6 events, sealed by 3 heads.\n');
    const [anchor] = /6:[\w-]{43}/.exec(whole.out)!;

    const exported = (await assent(['audit', 'export'])).out;
    const log = await file('log.jsonl', exported);
    const keys = await file(
      'keys.json',
      JSON.stringify((await house.admin.call('GET', '/.well-known/jwks.json')).body),
    );
    const nowhere = { env: { ASSENT_URL: 'http://127.0.0.1:9' } };
    expect(await assent(['audit', 'verify', '--file', log, '--keys', keys, '--anchor', anchor], nowhere)).toMatchObject(
      {
        code: 0,
      },
    );
    // What the database exports by itself is the same log.
    const lines = await house.query<{ line: string }>('select line from audit_export');
    const input = lines.map(({ line }) => line).join('\n');
    expect(await assent(['audit', 'verify', '--file', '-'], { input })).toMatchObject({ code: 0 });

    const forged = exported.replace('"token-provider.created"', '"token-provider.deleted"');
    const broken = await assent(['audit', 'verify', '--file', await file('forged.jsonl', forged)]);
    expect(broken).toMatchObject({ code: 1, out: expect.stringContaining('Event 1: it is not what was sealed.') });
    const shorter = exported.trim().split('\n').slice(0, 6).join('\n');
    const cut = await file('shorter.jsonl', shorter);
    expect(await assent(['audit', 'verify', '--file', cut])).toMatchObject({ code: 0 });
    expect(await assent(['audit', 'verify', '--file', cut, '--anchor', anchor])).toMatchObject({
      code: 1,
      out: expect.stringContaining('Event 5: it is not there; the anchor knows events up to 6.'),
    });
    const noKeys = await file('none.json', '{"keys":[]}');
    expect(await assent(['audit', 'verify', '--keys', noKeys])).toMatchObject({
      code: 1,
      out: expect.stringContaining('Head 1: its signature does not fit'),
    });
  });

  it('says what it could not read', async () => {
    const problems: [string[], string][] = [
      [['--file', join(folder, 'nowhere')], 'nowhere cannot be read: there is no such file'],
      [['--file', folder], 'cannot be read: it is a folder'],
      [['--keys', join(folder, 'nowhere')], 'nowhere cannot be read: there is no such file'],
      [['--file', await file('text.jsonl', 'hello')], 'Line 1 is not JSON'],
      [['--file', await file('other.jsonl', '{"event":{}}')], 'Line 1 is neither an event nor a head'],
      [['--keys', await file('odd.json', '{}')], 'is not a key set'],
    ];
    for (const [args, problem] of problems) {
      expect(await assent(['audit', 'verify', ...args])).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining(problem),
      });
    }
  });
});
