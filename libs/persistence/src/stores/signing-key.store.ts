import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { system } from '../audit/acting.js';
import { recordAudit } from '../audit/record-audit.js';
import { MissingRow } from '../errors.js';
import { sha256, type SealPlace } from '../sealing.js';
import { ShortCache } from '../short-cache.js';
import { statement, type Statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type {
  KeyRotation,
  RotatedKeyUse,
  SigningKey,
  SigningKeyLife,
  SigningKeyStore,
  SigningKeyUse,
} from './work.types.js';

/** A place that one key fills at a time. */
interface Slot {
  readonly use: SigningKeyUse;
  readonly alg: SigningKey['alg'];
}

const rotatedSlots: readonly Slot[] = [
  { use: 'client-assertion', alg: 'ES256' },
  { use: 'client-assertion', alg: 'PS256' },
  { use: 'request-object', alg: 'ES256' },
  { use: 'request-object', alg: 'PS256' },
];
/** Receipts and heads of the audit log are verified for years: their keys stay. */
const slots: readonly Slot[] = [
  ...rotatedSlots,
  { use: 'receipt', alg: 'ES256' },
  { use: 'callback', alg: 'EdDSA' },
  { use: 'audit', alg: 'EdDSA' },
];

const place = (kid: string): SealPlace => ({ table: 'signing_keys', column: 'private_key', id: kid });

/** The installation's signing keys in Postgres: the next ones, those in use, and those of the past. */
export class PostgresSigningKeyStore implements SigningKeyStore {
  private readonly cache = new ShortCache<readonly SigningKey[]>({ ttlMs: 5_000, maxEntries: slots.length });

  constructor(private readonly context: StoreContext) {}

  ensure(): Promise<void> {
    return this.fill(slots, selectCurrentSlots, insertCurrentKey);
  }

  async publicJwks(): Promise<{ keys: Record<string, unknown>[] }> {
    const rows = await this.context.sql.rows<{ public_jwk: Record<string, unknown> }>(selectPublicKeys);
    return { keys: rows.map(({ public_jwk }) => public_jwk) };
  }

  lives(): Promise<readonly SigningKeyLife[]> {
    return this.context.sql.rows<SigningKeyLife>(selectLives);
  }

  async current(use: SigningKeyUse): Promise<SigningKey> {
    const [first] = await this.find(use);
    if (first === undefined) throw new MissingRow(`There is no signing key for ${use}.`);
    return first;
  }

  choice(use: RotatedKeyUse): Promise<readonly SigningKey[]> {
    return this.find(use);
  }

  async rotate({ everySeconds, publishedAheadSeconds, retiredForSeconds }: KeyRotation): Promise<number> {
    await this.fill(rotatedSlots, selectNextSlots, insertNextKey);
    const changed = await this.context.sql.transaction(async (client) => {
      // Instances that rotate together take turns; readers are not held up.
      await client.query('lock table signing_keys in share row exclusive mode');
      const { rows } = await client.query<DueKey>(selectDue, [everySeconds, publishedAheadSeconds]);
      await client.query(retireKeys, [rows.map(({ current }) => current)]);
      await client.query(activateKeys, [rows.map(({ next }) => next)]);
      await client.query(withdrawKeys, [retiredForSeconds]);
      for (const { next, current, use, alg } of rows) {
        const resource = { type: 'signing-key', id: next, name: use };
        await recordAudit(client, system, {
          action: 'signing-key.rotated',
          resource,
          detail: { alg, replaced: current },
        });
      }
      return rows.length;
    });
    if (changed === 0) return 0;
    this.cache.clear();
    // At once, so that they are published for as long as possible before their turn comes.
    await this.fill(rotatedSlots, selectNextSlots, insertNextKey);
    return changed;
  }

  private async find(use: SigningKeyUse): Promise<readonly SigningKey[]> {
    const known = await this.cache.get(use, () => this.read(use));
    if (known !== null) return known;
    await this.ensure();
    return (await this.cache.get(use, () => this.read(use))) ?? [];
  }

  private async read(use: SigningKeyUse): Promise<readonly SigningKey[] | null> {
    const rows = await this.context.sql.rows<{ kid: string; alg: SigningKey['alg']; private_key: Buffer }>(
      selectCurrentKeys,
      [use],
    );
    if (rows.length < slots.filter((slot) => slot.use === use).length) return null;
    return rows.map(({ kid, alg, private_key }) => ({
      kid,
      alg,
      privateKeyPem: this.context.sealing.open(private_key, place(kid)),
    }));
  }

  /** Makes what is missing. Of instances that make the same key together one wins; the others use what it made. */
  private async fill(wanted: readonly Slot[], selectFilled: Statement, insert: Statement): Promise<void> {
    const filled = await this.context.sql.rows<{ use: SigningKeyUse; alg: SigningKey['alg'] }>(selectFilled);
    for (const { use, alg } of wanted) {
      if (filled.some((slot) => slot.use === use && slot.alg === alg)) continue;
      const privateKeyPem = await generatePem(alg);
      const jwk = createPublicKey(privateKeyPem).export({ format: 'jwk' });
      const kid = thumbprint(jwk);
      const publicJwk = JSON.stringify({ ...jwk, kid, alg, use: 'sig' });
      const sealed = this.context.sealing.seal(privateKeyPem, place(kid));
      await this.context.sql.rows(insert, [kid, use, alg, publicJwk, sealed]);
    }
  }
}

/** A key whose time is over, and the one that takes its place. */
interface DueKey extends Slot {
  readonly next: string;
  readonly current: string;
}

const generate = {
  ES256: () => promisify(generateKeyPair)('ec', { namedCurve: 'P-256' }),
  PS256: () => promisify(generateKeyPair)('rsa', { modulusLength: 2048 }),
  EdDSA: () => promisify(generateKeyPair)('ed25519'),
} satisfies Record<SigningKey['alg'], () => Promise<{ privateKey: KeyObject }>>;

async function generatePem(alg: SigningKey['alg']): Promise<string> {
  const { privateKey } = await generate[alg]();
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** RFC 7638: the required members in alphabetical order, hashed. */
export function thumbprint(jwk: {
  crv?: string;
  e?: string;
  kty?: string;
  n?: string;
  x?: string;
  y?: string;
}): string {
  const { crv, e, kty, n, x, y } = jwk;
  return sha256(JSON.stringify({ crv, e, kty, n, x, y })).toString('base64url');
}

const selectCurrentSlots = statement(
  'select_current_key_slots',
  'select use, alg from signing_keys where activated_at is not null and retired_at is null',
);

const selectNextSlots = statement(
  'select_next_key_slots',
  'select use, alg from signing_keys where activated_at is null',
);

const selectPublicKeys = statement(
  'select_public_keys',
  'select public_jwk from signing_keys order by created_at, kid',
);

const selectLives = statement(
  'select_signing_key_lives',
  /* sql */ `
  select kid, use, alg, created_at as "createdAt", activated_at as "activatedAt", retired_at as "retiredAt"
  from signing_keys
  order by use, (activated_at is not null and retired_at is null) desc, retired_at desc nulls first, alg, kid`,
);

const selectCurrentKeys = statement(
  'select_current_keys',
  /* sql */ `
  select kid, alg, private_key from signing_keys
  where use = $1 and activated_at is not null and retired_at is null
  order by alg`,
);

const insertCurrentKey = statement(
  'insert_current_signing_key',
  /* sql */ `
  insert into signing_keys (kid, use, alg, public_jwk, private_key, activated_at)
  values ($1, $2, $3, $4::json, $5, clock_timestamp())
  on conflict do nothing`,
);

const insertNextKey = statement(
  'insert_next_signing_key',
  /* sql */ `
  insert into signing_keys (kid, use, alg, public_jwk, private_key) values ($1, $2, $3, $4::json, $5)
  on conflict do nothing`,
);

const selectDue = /* sql */ `
  select next.kid as next, current.kid as current, next.use, next.alg
  from signing_keys next
  join signing_keys current on current.use = next.use and current.alg = next.alg
    and current.activated_at is not null and current.retired_at is null
  where next.activated_at is null
    and current.activated_at <= clock_timestamp() - make_interval(secs => $1)
    and next.created_at <= clock_timestamp() - make_interval(secs => $2)`;

const retireKeys = 'update signing_keys set retired_at = clock_timestamp() where kid = any ($1)';

const activateKeys = 'update signing_keys set activated_at = clock_timestamp() where kid = any ($1)';

// What was signed for years stays verifiable, also when somebody has retired its key by hand.
const withdrawKeys = /* sql */ `
  delete from signing_keys
  where retired_at < clock_timestamp() - make_interval(secs => $1) and use not in ('receipt', 'callback', 'audit')`;
