import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { appendFile, copyFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RowStore, type Row } from './row.store.js';

let folder: string;
let path: string;
let open: RowStore[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assent-row-store-'));
  path = join(folder, 'state', 'rows.jsonl');
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((store) => store.close()));
  await rm(folder, { recursive: true });
});

async function openStore(file: string | null = path): Promise<RowStore> {
  const store = await RowStore.open(file);
  open.push(store);
  return store;
}

const nowSeconds = () => Math.floor(Date.now() / 1000);
const aRow = (id: string, value: object = { of: id }, expiresAt: number | null = null): Row => ({
  model: 'Thing',
  id,
  value,
  expiresAt,
});

it('holds, without a file, what it is given, expired rows included', async () => {
  const store = await openStore(null);
  await store.set(aRow('a', { n: 1 }, nowSeconds() - 1000));
  expect(store.get('Thing', 'a')?.value).toEqual({ n: 1 });
  await store.delete('Thing', 'a');
  expect([store.get('Thing', 'a'), ...store.all('Thing')]).toEqual([undefined]);
});

it('has every resolved change in the file, without being closed', async () => {
  const store = await openStore();
  await Promise.all([...Array(50).keys()].map((n) => store.set(aRow(`id-${n}`))));
  await store.set(aRow('id-0', { of: 'later' }));
  await store.delete('Thing', 'id-1');
  const copy = join(folder, 'as-after-a-kill.jsonl');
  await copyFile(path, copy);

  const reopened = await openStore(copy);
  expect([...reopened.all('Thing')]).toHaveLength(49);
  expect(reopened.get('Thing', 'id-0')?.value).toEqual({ of: 'later' });
  expect(reopened.get('Thing', 'id-1')).toBeUndefined();
});

it('overlooks a last line that a killed process did not finish', async () => {
  const store = await openStore();
  await store.set(aRow('whole'));
  await store.close();
  await appendFile(path, '{"model":"Thing","id":"ha');
  const reopened = await openStore();
  await reopened.set(aRow('after'));
  await reopened.close();
  expect([...(await openStore()).all('Thing')].map(({ id }) => id)).toEqual(['whole', 'after']);
});

it('leaves rows that expired days ago out when it starts, and keeps fresher ones', async () => {
  const store = await openStore();
  await store.set(aRow('old', {}, nowSeconds() - 2 * 86_400));
  await store.set(aRow('expired', {}, nowSeconds() - 60));
  await store.close();
  await (await openStore()).close();
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as Row).id)).toEqual(['expired']);
});

it('lets nobody but the owner read the file', async () => {
  await openStore();
  expect((await stat(path)).mode & 0o077).toBe(0);
});

it('says which file it cannot read', async () => {
  await expect(RowStore.open(folder)).rejects.toThrow(folder);
});
