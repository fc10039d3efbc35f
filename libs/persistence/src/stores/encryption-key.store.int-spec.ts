import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { openFixture, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import type { Database } from '../index.js';

const rotation = { everySeconds: 86_400, retiredForSeconds: 3_600 };

describe('the encryption keys (R99)', () => {
  let fixture: DatabaseFixture;
  let database: Database;
  let sql: Client;
  beforeAll(async () => {
    fixture = await openFixture();
    ({ database } = fixture);
    sql = new Client({ connectionString: fixture.url });
    await sql.connect();
  });
  afterAll(async () => {
    await sql.end();
    await fixture.close();
  });

  const published = async () => (await database.encryptionKeys.publicJwks()).map(({ kid }) => String(kid)).sort();
  /** What a process that has just started opens with. */
  const opening = async () => (await (await fixture.reopen()).encryptionKeys.decryption()).map(({ kid }) => kid).sort();
  const pass = (seconds: number) =>
    sql.query(
      `update encryption_keys set created_at = created_at - make_interval(secs => $1),
        retired_at = retired_at - make_interval(secs => $1)`,
      [seconds],
    );

  it('are one for each algorithm, for encryption only, whoever starts together', async () => {
    const others = await Promise.all([fixture.reopen(), fixture.reopen()]);
    await Promise.all([database, ...others].map(({ encryptionKeys }) => encryptionKeys.ensure()));
    const keys = await database.encryptionKeys.publicJwks();
    expect(keys).toEqual([
      expect.objectContaining({ kty: 'EC', crv: 'P-256', use: 'enc' }),
      expect.objectContaining({ kty: 'RSA', alg: 'RSA-OAEP-256', use: 'enc' }),
    ]);
    for (const secret of ['d', 'p', 'q']) expect(keys.some((key) => secret in key)).toBe(false);
    expect(await opening()).toEqual(await published());
  });

  it('are followed by others at once; the former ones open for a while and are published no more', async () => {
    const before = await published();
    expect(await database.encryptionKeys.rotate(rotation)).toBe(0);
    expect(await published()).toEqual(before);

    await pass(rotation.everySeconds);
    expect(await database.encryptionKeys.rotate(rotation)).toBe(2);
    const after = await published();
    const events = await sql.query(`select resource_id from audit_events where action = 'encryption-key.retired'`);
    expect(events.rows.map((row: { resource_id: string }) => row.resource_id).sort()).toEqual(before);
    expect(after.filter((kid) => before.includes(kid))).toEqual([]);
    expect(await opening()).toEqual([...before, ...after].sort());

    await pass(rotation.retiredForSeconds + 1);
    await database.encryptionKeys.rotate(rotation);
    expect(await opening()).toEqual(after);
  });
});
