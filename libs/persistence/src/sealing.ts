/**
 * Encryption at rest: AES-256-GCM with a random 96-bit nonce, bound to table, column and row, so that a value that was
 * changed, or copied to another row, does not open. The key's id travels in the sealed bytes: old keys keep opening
 * what they sealed while the first one seals what is new.
 */

import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { MasterKeyMismatch, SealBroken } from './errors.js';

const algorithm = 'aes-256-gcm';
const formatVersion = 1;
const keyLength = 32;
const nonceLength = 12;
const tagLength = 16;
const howToMake = '`openssl rand -base64 32` makes the part behind the colon';

/** Where a sealed value lives; it opens nowhere else. */
export interface SealPlace {
  readonly table: string;
  readonly column: string;
  readonly id: string;
}

/** Makes a master key, `k1:<base64>`, for a new installation. */
export function generateMasterKey(): string {
  return `k1:${randomBytes(keyLength).toString('base64')}`;
}

/** Seals and opens with the installation's master keys. */
export class Sealing {
  private readonly derived = new Map<string, readonly Buffer[]>();

  private constructor(
    private readonly keys: ReadonlyMap<string, Buffer>,
    /** The id of the key that seals. */
    readonly activeKeyId: string,
  ) {}

  /** Reads `id:base64(32 bytes)[,id:base64…]`; throws `MasterKeyMismatch` naming the id of what is malformed. */
  static parse(masterKeys: string): Sealing {
    const keys = new Map<string, Buffer>();
    for (const entry of masterKeys.split(',').map((part) => part.trim())) {
      const [, id, encoded] = /^([\w.-]{1,64}):([A-Za-z0-9+/]+={0,2})$/.exec(entry) ?? [];
      // The entry itself may be a bare key: never repeat it.
      if (id === undefined || encoded === undefined)
        throw new MasterKeyMismatch(`A master key in ASSENT_MASTER_KEYS is not written as id:base64; ${howToMake}.`);
      const key = Buffer.from(encoded, 'base64');
      const named = `Master key "${id}" in ASSENT_MASTER_KEYS`;
      if (key.length !== keyLength)
        throw new MasterKeyMismatch(`${named} has ${key.length} bytes, not ${keyLength}; ${howToMake}.`);
      if (keys.has(id)) throw new MasterKeyMismatch(`${named} is there twice: give each key an id of its own.`);
      keys.set(id, key);
    }
    const [activeKeyId] = keys.keys();
    return new Sealing(keys, activeKeyId!);
  }

  get keyIds(): readonly string[] {
    return [...this.keys.keys()];
  }

  /** One key of 32 bytes per master key, the active one's first, for this purpose alone (RFC 5869). */
  derivedKeys(purpose: string): readonly Buffer[] {
    const known = this.derived.get(purpose);
    if (known !== undefined) return known;
    const keys = [...this.keys.values()].map((key) =>
      Buffer.from(hkdfSync('sha256', key, '', `assent ${purpose}`, 32)),
    );
    this.derived.set(purpose, keys);
    return keys;
  }

  seal(plaintext: string, place: SealPlace): Buffer {
    return this.sealWith(this.activeKeyId, plaintext, place);
  }

  sealWith(keyId: string, plaintext: string, place: SealPlace): Buffer {
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv(algorithm, this.key(keyId), nonce).setAAD(boundTo(place));
    const id = Buffer.from(keyId);
    return Buffer.concat([
      Buffer.from([formatVersion, id.length]),
      id,
      nonce,
      cipher.update(plaintext, 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  }

  /** Throws `MasterKeyMismatch` when the key is not among ours, `SealBroken` when the value does not open. */
  open(sealed: Buffer, place: SealPlace): string {
    const idLength = sealed[1] ?? 0;
    const nonceAt = 2 + idLength;
    const textAt = nonceAt + nonceLength;
    const tagAt = sealed.length - tagLength;
    if (sealed[0] !== formatVersion || tagAt < textAt) throw broken(place);
    const key = this.key(sealed.toString('utf8', 2, nonceAt));
    const decipher = createDecipheriv(algorithm, key, sealed.subarray(nonceAt, textAt), { authTagLength: tagLength })
      .setAAD(boundTo(place))
      .setAuthTag(sealed.subarray(tagAt));
    try {
      return decipher.update(sealed.subarray(textAt, tagAt), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw broken(place);
    }
  }

  /** The id of the key that sealed a value. */
  keyIdOf(sealed: Buffer): string {
    return sealed.toString('utf8', 2, 2 + (sealed[1] ?? 0));
  }

  private key(id: string): Buffer {
    const key = this.keys.get(id);
    if (key === undefined) throw new MasterKeyMismatch(`Master key "${id}" is needed and not configured.`);
    return key;
  }
}

/** The first bytes of whatever a key seals. */
export const keyMark = (keyId: string): Buffer =>
  Buffer.from([formatVersion, Buffer.byteLength(keyId), ...Buffer.from(keyId)]);

/** SHA-256, where equality must be told without keeping the text. */
export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

const boundTo = ({ table, column, id }: SealPlace): Buffer => Buffer.from(`${table}|${column}|${id}`);

const broken = ({ table, column, id }: SealPlace): SealBroken =>
  new SealBroken(
    `The sealed ${table}.${column} of ${id} does not open: it was changed, moved, or sealed by another key.`,
  );
