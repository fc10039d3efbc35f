import { MasterKeyMismatch, SealBroken } from './errors.js';
import type { Sealing } from './sealing.js';
import { statement, type Sql } from './sql.js';

const known = 'assent';
const place = (id: string) => ({ table: 'master_keys', column: 'sealed_check', id });

/**
 * Compares the configured master keys with those that have sealed something here, and remembers the one that seals
 * from now on. Throws `MasterKeyMismatch` naming the key that is missing or is another one under the same id.
 */
export async function checkMasterKeys(sql: Sql, sealing: Sealing): Promise<void> {
  await compare(sql, sealing);
  // Only now: a process that may not seal here must not leave a key behind that the others then lack.
  await sql.rows(rememberKey, [sealing.activeKeyId, sealing.seal(known, place(sealing.activeKeyId))]);
  // Another process may have remembered another key under the same id at the same moment.
  await compare(sql, sealing);
}

async function compare(sql: Sql, sealing: Sealing): Promise<void> {
  const rows = await sql.rows<{ id: string; sealed_check: Buffer }>(selectKeys);
  for (const { id, sealed_check } of rows) {
    try {
      sealing.open(sealed_check, place(id));
    } catch (error) {
      if (error instanceof SealBroken) {
        throw new MasterKeyMismatch(`Master key "${id}" is not the key that sealed this database.`);
      }
      throw error;
    }
  }
}

const rememberKey = statement(
  'remember_master_key',
  'insert into master_keys (id, sealed_check) values ($1, $2) on conflict do nothing',
);

const selectKeys = statement('select_master_keys', 'select id, sealed_check from master_keys order by id');
