import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { system } from '../audit/acting.js';
import { recordAudit } from '../audit/record-audit.js';
import { isSealed } from '../errors.js';
import type { SealPlace } from '../sealing.js';
import { ShortCache } from '../short-cache.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { thumbprint } from './signing-key.store.js';
import type { DecryptionKey, EncryptionKeyStore } from './work.types.js';

const algorithms = ['ECDH-ES', 'RSA-OAEP-256'] as const;

const generate = {
  'ECDH-ES': () => promisify(generateKeyPair)('ec', { namedCurve: 'P-256' }),
  'RSA-OAEP-256': () => promisify(generateKeyPair)('rsa', { modulusLength: 2048 }),
} satisfies Record<DecryptionKey['alg'], () => Promise<{ privateKey: KeyObject }>>;

const place = (kid: string): SealPlace => ({ table: 'encryption_keys', column: 'private_key', id: kid });

/** The installation's encryption keys in Postgres: those that are published, and those that still open. */
export class PostgresEncryptionKeyStore implements EncryptionKeyStore {
  private readonly cache = new ShortCache<readonly DecryptionKey[]>({ ttlMs: 5_000, maxEntries: 1 });

  private told = '';

  constructor(private readonly context: StoreContext) {}

  async ensure(): Promise<void> {
    const rows = await this.context.sql.rows<{ alg: DecryptionKey['alg'] }>(selectCurrentAlgorithms);
    for (const alg of algorithms) if (!rows.some((row) => row.alg === alg)) await this.make(alg);
  }

  async publicJwks(): Promise<Record<string, unknown>[]> {
    const rows = await this.context.sql.rows<{ public_jwk: Record<string, unknown> }>(selectPublicKeys);
    return rows.map(({ public_jwk }) => public_jwk);
  }

  async decryption(): Promise<readonly DecryptionKey[]> {
    return (await this.cache.get('all', () => this.read())) ?? [];
  }

  async rotate({
    everySeconds,
    retiredForSeconds,
  }: {
    readonly everySeconds: number;
    readonly retiredForSeconds: number;
  }): Promise<number> {
    // Instances that rotate together retire a key once; the unique index lets one of them make its successor.
    const retired = await this.context.sql.transaction(async (client) => {
      const { rows } = await client.query<{ kid: string; alg: string }>(retireKeys, [everySeconds]);
      for (const { kid, alg } of rows) {
        const resource = { type: 'encryption-key', id: kid, name: alg };
        await recordAudit(client, system, { action: 'encryption-key.retired', resource });
      }
      return rows.length;
    });
    await this.context.sql.rows(withdrawKeys, [retiredForSeconds]);
    await this.ensure();
    if (retired > 0) this.cache.clear();
    return retired;
  }

  private async make(alg: DecryptionKey['alg']): Promise<void> {
    const { privateKey } = await generate[alg]();
    const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const jwk = createPublicKey(privateKeyPem).export({ format: 'jwk' });
    const kid = thumbprint(jwk);
    // An elliptic key serves with key wrapping and without, which one `alg` could not say.
    const publicJwk = JSON.stringify({ ...jwk, kid, use: 'enc', ...(alg === 'RSA-OAEP-256' && { alg }) });
    const sealed = this.context.sealing.seal(privateKeyPem, place(kid));
    await this.context.sql.rows(insertKey, [kid, alg, publicJwk, sealed]);
  }

  private async read(): Promise<readonly DecryptionKey[] | null> {
    const rows = await this.context.sql.rows<KeyRow>(selectKeys);
    if (rows.length === 0) return null;
    const keys = rows.map((row) => this.opened(row));
    this.tellOfClosed(rows.filter((_, index) => keys[index] === null).map(({ kid }) => kid));
    return keys.filter((key) => key !== null);
  }

  /** Null when it does not open: one key that is broken must not take the others, and every registration, with it. */
  private opened({ kid, alg, private_key }: KeyRow): DecryptionKey | null {
    try {
      return { kid, alg, privateKeyPem: this.context.sealing.open(private_key, place(kid)) };
    } catch (error) {
      if (!isSealed(error)) throw error;
      return null;
    }
  }

  private tellOfClosed(kids: readonly string[]): void {
    const told = kids.join(' ');
    if (told !== this.told && kids.length > 0) {
      this.context.log('error', 'Encryption keys do not open; ID tokens encrypted to them cannot be read', { kids });
    }
    this.told = told;
  }
}

interface KeyRow {
  readonly kid: string;
  readonly alg: DecryptionKey['alg'];
  readonly private_key: Buffer;
}

const selectCurrentAlgorithms = statement(
  'select_current_encryption_algorithms',
  'select alg from encryption_keys where retired_at is null',
);

const selectPublicKeys = statement(
  'select_public_encryption_keys',
  'select public_jwk from encryption_keys where retired_at is null order by alg',
);

const selectKeys = statement(
  'select_encryption_keys',
  'select kid, alg, private_key from encryption_keys order by created_at desc, kid',
);

const insertKey = statement(
  'insert_encryption_key',
  /* sql */ `
  insert into encryption_keys (kid, alg, public_jwk, private_key) values ($1, $2, $3::json, $4)
  on conflict do nothing`,
);

const retireKeys = /* sql */ `
  update encryption_keys set retired_at = clock_timestamp()
  where retired_at is null and created_at <= clock_timestamp() - make_interval(secs => $1)
  returning kid, alg`;

const withdrawKeys = statement(
  'withdraw_encryption_keys',
  'delete from encryption_keys where retired_at < clock_timestamp() - make_interval(secs => $1)',
);
