import { createHmac, randomBytes } from 'node:crypto';
import { personName } from '#lib/domain';
import type { Sealing } from './sealing.js';
import { statement, type Sql } from './sql.js';

const name = 'person';
const place = { table: 'lookup_keys', column: 'sealed_key', id: name };
/** As many bytes as a UUID has: no two people meet, and the index stays small. */
const hashLength = 16;

/**
 * Keyed hashes under which people are counted and found while their names are sealed. The key is random, made once per
 * database and sealed by the master keys: whoever has the database alone cannot try names.
 */
export class LookupKey {
  private constructor(private readonly key: Buffer) {}

  /** Reads the key of this database, or makes it. A key that an older master key sealed is sealed anew. */
  static async load(sql: Sql, sealing: Sealing): Promise<LookupKey> {
    const fresh = sealing.seal(randomBytes(32).toString('base64'), place);
    await sql.rows(makeKey, [name, fresh]);
    const { sealed_key: sealed } = (await sql.row<{ sealed_key: Buffer }>(selectKey, [name]))!;
    const key = sealing.open(sealed, place);
    if (sealing.keyIdOf(sealed) !== sealing.activeKeyId) {
      await sql.rows(sealAnew, [name, sealed, sealing.seal(key, place)]);
    }
    return new LookupKey(Buffer.from(key, 'base64'));
  }

  /** The hash of a person, the same for every spelling of the name. */
  ofPerson(person: string): Buffer {
    return this.hash('person', personName(person));
  }

  /** The hash of what is asked; it tells identical requests. */
  ofAsked(text: string): Buffer {
    return this.hash('asked', text);
  }

  private hash(kind: string, text: string): Buffer {
    return createHmac('sha256', this.key).update(`${kind}:${text}`).digest().subarray(0, hashLength);
  }
}

const makeKey = statement(
  'make_lookup_key',
  'insert into lookup_keys (name, sealed_key) values ($1, $2) on conflict do nothing',
);

const selectKey = statement('select_lookup_key', 'select sealed_key from lookup_keys where name = $1');

const sealAnew = statement(
  'seal_lookup_key',
  'update lookup_keys set sealed_key = $3 where name = $1 and sealed_key = $2',
);
