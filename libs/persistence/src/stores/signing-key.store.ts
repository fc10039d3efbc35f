import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { MissingRow } from '../errors.js';
import { sha256, type SealPlace } from '../sealing.js';
import { ShortCache } from '../short-cache.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { SigningKey, SigningKeyStore, SigningKeyUse } from './work.types.js';

const uses: readonly { readonly use: SigningKeyUse; readonly alg: SigningKey['alg'] }[] = [
  { use: 'client-assertion', alg: 'ES256' },
  { use: 'receipt', alg: 'ES256' },
  { use: 'callback', alg: 'EdDSA' },
];

const place = (kid: string): SealPlace => ({ table: 'signing_keys', column: 'private_key', id: kid });

/** The installation's signing keys in Postgres. */
export class PostgresSigningKeyStore implements SigningKeyStore {
  private readonly cache = new ShortCache<SigningKey>({ ttlMs: 5_000, maxEntries: uses.length });

  constructor(private readonly context: StoreContext) {}

  async ensure(): Promise<void> {
    const rows = await this.context.sql.rows<{ use: SigningKeyUse }>(selectCurrentUses);
    const there = new Set(rows.map(({ use }) => use));
    for (const { use, alg } of uses) {
      if (!there.has(use)) await this.make(use, alg);
    }
  }

  async publicJwks(): Promise<{ keys: Record<string, unknown>[] }> {
    const rows = await this.context.sql.rows<{ public_jwk: Record<string, unknown> }>(selectPublicKeys);
    return { keys: rows.map(({ public_jwk }) => public_jwk) };
  }

  async current(use: SigningKeyUse): Promise<SigningKey> {
    const known = await this.cache.get(use, () => this.read(use));
    if (known !== null) return known;
    await this.ensure();
    const made = await this.cache.get(use, () => this.read(use));
    if (made === null) throw new MissingRow(`There is no signing key for ${use}.`);
    return made;
  }

  private async read(use: SigningKeyUse): Promise<SigningKey | null> {
    const row = await this.context.sql.row<{ kid: string; alg: SigningKey['alg']; private_key: Buffer }>(
      selectCurrentKey,
      [use],
    );
    if (row === null) return null;
    return { kid: row.kid, alg: row.alg, privateKeyPem: this.context.sealing.open(row.private_key, place(row.kid)) };
  }

  // Of instances that make the same key together one wins; the others use what it made.
  private async make(use: SigningKeyUse, alg: SigningKey['alg']): Promise<void> {
    const privateKeyPem = generatePem(alg);
    const jwk = createPublicKey(privateKeyPem).export({ format: 'jwk' });
    const kid = thumbprint(jwk);
    const publicJwk = { ...jwk, kid, alg, use: 'sig' };
    const sealed = this.context.sealing.seal(privateKeyPem, place(kid));
    await this.context.sql.rows(insertKey, [kid, use, alg, JSON.stringify(publicJwk), sealed]);
  }
}

function generatePem(alg: SigningKey['alg']): string {
  const { privateKey } =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** RFC 7638: the required members in alphabetical order, hashed. */
function thumbprint({ crv, kty, x, y }: { crv?: string; kty?: string; x?: string; y?: string }): string {
  return sha256(JSON.stringify(y === undefined ? { crv, kty, x } : { crv, kty, x, y })).toString('base64url');
}

const selectCurrentUses = statement('select_key_uses', 'select use from signing_keys where retired_at is null');

const selectPublicKeys = statement(
  'select_public_keys',
  'select public_jwk from signing_keys order by created_at, kid',
);

const selectCurrentKey = statement(
  'select_current_key',
  'select kid, alg, private_key from signing_keys where use = $1 and retired_at is null',
);

const insertKey = statement(
  'insert_signing_key',
  /* sql */ `
  insert into signing_keys (kid, use, alg, public_jwk, private_key) values ($1, $2, $3, $4::json, $5)
  on conflict do nothing`,
);
