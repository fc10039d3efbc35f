import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { DataDirectoryInUse, startEmbeddedPostgres, type EmbeddedPostgres } from '../index.js';

interface Said {
  readonly url?: string;
  readonly pid?: number;
  readonly adopted?: boolean;
  readonly name?: string;
}

describe('the embedded Postgres', () => {
  let dir: string;
  let running: EmbeddedPostgres | null;
  let children: ChildProcess[];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'assent-embedded-'));
    running = null;
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await running?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const start = async () => (running = await startEmbeddedPostgres({ dir }));
  const stop = async () => {
    await running!.stop();
    running = null;
  };
  const query = async (url: string, sql: string) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  /** Another process that starts a server in the same directory. */
  const another = async (): Promise<{ child: ChildProcess; said: Said }> => {
    const program = fileURLToPath(new URL('../../../../test/support/postgres-owner.mjs', import.meta.url));
    const child = spawn(process.execPath, [program, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return { child, said: JSON.parse(line) as Said };
  };
  const kill = async (child: ChildProcess) => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };

  it('keeps data, password and port over a restart', async () => {
    const first = await start();
    expect(first.adopted).toBe(false);
    expect(Number(new URL(first.url).port)).toBeLessThan(32_768);
    await query(first.url, `create table kept (word text)`);
    await stop();
    const second = await start();
    expect(second).toMatchObject({ url: first.url, adopted: false });
    expect(await query(second.url, 'select * from kept')).toEqual([]);
    expect(await query(second.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
  });

  it('lets nobody in without the password, which only its owner can read', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect((await stat(join(dir, 'password'))).mode & 0o777).toBe(0o600);
  });

  it('quotes neither statements nor rows in its log', async () => {
    const { url } = await start();
    await query(url, `create table t (word text unique)`);
    await query(url, `insert into t values ('canary')`);
    await expect(query(url, `insert into t values ('canary')`)).rejects.toThrow();
    const log = await readFile(join(dir, 'postgres.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('canary');
  });

  it('is refused to a second run, and adopted from one that was killed', async () => {
    const { child, said: first } = await another();
    await expect(startEmbeddedPostgres({ dir })).rejects.toThrow(DataDirectoryInUse);
    expect((await another()).said.name).toBe('DataDirectoryInUse');

    await kill(child);
    const { url, pid, adopted } = await start();
    expect({ url, pid, adopted }).toEqual({ url: first.url, pid: first.pid, adopted: true });
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('goes to one of several that start together', async () => {
    const { child } = await another();
    await kill(child);
    const starts = await Promise.all([another(), another(), another()]);
    const names = starts.map(({ said }) => said.name ?? 'started').sort();
    expect(names).toEqual(['DataDirectoryInUse', 'DataDirectoryInUse', 'started']);
    await kill(starts.find(({ said }) => said.name === undefined)!.child);
    expect((await start()).adopted).toBe(true);
  });

  it('does not take a stranger with the pid of a dead owner for the owner', async () => {
    await start();
    await stop();
    await writeFile(join(dir, 'owner.json'), JSON.stringify({ pid: process.pid, began: 'another time' }));
    expect((await start()).adopted).toBe(false);
  });

  it('starts again after the server was killed', async () => {
    const { url, pid } = await start();
    await query(url, `create table kept (word text)`);
    await query(url, `insert into kept values ('committed')`);
    process.kill(pid, 'SIGKILL');
    await stop();
    expect(await query((await start()).url, 'select word from kept')).toEqual([{ word: 'committed' }]);
  });

  it('leaves nothing half-made when its first start was cut off', async () => {
    await mkdir(join(dir, 'data.new'));
    await writeFile(join(dir, 'data.new', 'PG_VERSION'), '18');
    expect(await query((await start()).url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('says so when the data is of another version', async () => {
    await mkdir(join(dir, 'data'));
    await writeFile(join(dir, 'data', 'PG_VERSION'), '9\n');
    await expect(startEmbeddedPostgres({ dir })).rejects.toThrow(/was made by PostgreSQL 9/);
  });

  // Only root has to step down to another user, who may then lack the right to enter; anybody else
  // runs the server as themselves, and there is nothing to test.
  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot('says so when the user that it runs as cannot reach the directory', async () => {
    await chown(dir, 0, 0);
    await chmod(dir, 0o700);
    const below = join(dir, 'below');
    await expect(startEmbeddedPostgres({ dir: below })).rejects.toThrow(/cannot reach .*below/);
  });
});
