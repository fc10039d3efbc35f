import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { chown, chmod, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { RulesHouse } from '../../../test/support/rules-house.js';

jest.setTimeout(180_000);

/** The database's disk is full: nothing is acknowledged that is not stored, and it goes on when there is room. */

const disk = mkdtempSync(join(tmpdir(), 'assent-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status === 0;
// Only who may mount can fill a disk without filling the machine's own.
const itWithADisk = mounted ? it : it.skip;

let house: RulesHouse;
beforeAll(async () => {
  house = await RulesHouse.open();
});
afterAll(async () => {
  await house.close();
  if (mounted) spawnSync('umount', ['--lazy', disk]);
  rmSync(disk, { recursive: true, force: true });
});

itWithADisk('is answered 503, reading goes on, and what was accepted is there', async () => {
  const rule = await house.rule();
  const [{ data_directory }] = (await house.query('show data_directory')) as [{ data_directory: string }];
  const { uid, gid } = await stat(data_directory);
  await chown(disk, uid, gid);
  await chmod(disk, 0o700);
  await house.query(`create tablespace tiny location '${disk}'`);
  await house.query('alter table authorization_requests set tablespace tiny');
  await house.query('create table filler (content text) tablespace tiny');
  await house.query('alter table filler alter column content set storage external');

  const submit = () => house.admin.submit({ rule: rule.id, attributes: { email: 'alice@example.com' } });
  const accepted = [(await submit()).body.id];
  const fill = (bytes: number) => house.query(`insert into filler values (repeat('x', ${bytes}))`);
  for (const bytes of [100_000, 1_000]) {
    await expect(
      (async () => {
        for (;;) await fill(bytes);
      })(),
    ).rejects.toMatchObject({ code: '53100' });
  }
  // The last page of the table has room for a few more.
  let answer = await submit();
  for (; answer.status === 202; answer = await submit()) accepted.push(answer.body.id);
  expect([answer.status, answer.body]).toEqual([503, expect.objectContaining({ code: 'database_unavailable' })]);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  for (const id of accepted) expect((await house.admin.request(id)).status).toBe(200);

  await house.query('drop table filler');
  await house.query('checkpoint');
  accepted.push((await submit()).body.id);
  const rows = await house.query<{ id: string }>('select id from authorization_requests order by id');
  expect(rows.map(({ id }) => id)).toEqual(accepted.sort());
  await house.query('alter table authorization_requests set tablespace pg_default');
  await house.query('drop tablespace tiny');
});
