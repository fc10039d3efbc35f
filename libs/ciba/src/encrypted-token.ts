import { createPrivateKey } from 'node:crypto';
import { compactDecrypt } from 'jose';
import type { DecryptionKeyMaterial } from './registration.js';
import { parseJsonObject, type JsonObject } from './strict-json.js';

/** Characters of an encrypted token at most; nothing longer is worth a decryption. */
export const maximumEncryptedLength = 64 * 1024;

/** How the content key may come to us; only these two kinds of keys are published. */
const keyManagement: Readonly<Record<string, DecryptionKeyMaterial['alg']>> = {
  'RSA-OAEP-256': 'RSA-OAEP-256',
  'ECDH-ES': 'ECDH-ES',
  'ECDH-ES+A256KW': 'ECDH-ES',
};
const contentEncryption = ['A128CBC-HS256', 'A256GCM'];
/** What lets a token grow, name its own key, or mean something that we do not know (RFC 7516 §4.1). */
const refusedHeaders = ['zip', 'crit', 'jku', 'x5u', 'jwk', 'b64', 'p2s', 'p2c'];

/** What became of an encrypted token. */
export type Opened =
  /** What was inside, a signed token by its own account; nothing of it is believed yet. */
  | { readonly kind: 'opened'; readonly compact: string }
  /** It is encrypted in a way that is not accepted, or was changed. */
  | { readonly kind: 'refused' }
  /** It is for a key that is not among ours, or not here yet. */
  | { readonly kind: 'unknown-key' };

/** Whether a token has the form of an encrypted one: five parts (RFC 7516 §7.1). */
export const isEncrypted = (token: string): boolean => /^[\w-]+(\.[\w-]*){4}$/.test(token);

/** Whether an encrypted token names one of these keys. */
export function namesKey(token: string, keys: readonly DecryptionKeyMaterial[]): boolean {
  const kid = readHeader(token.slice(0, maximumEncryptedLength))?.get('kid');
  return keys.some((key) => key.kid === kid);
}

/**
 * Opens a token that was encrypted to us (RFC 7516 §5.2); never rejects.
 *
 * Everything that can be told without a key is judged before any key is touched.
 */
export async function openEncrypted(token: string, keys: readonly DecryptionKeyMaterial[]): Promise<Opened> {
  const header = token.length > maximumEncryptedLength ? null : readHeader(token);
  if (header === null || refusedHeaders.some((name) => header.has(name)) || !isNested(header)) return refused;
  const { alg, enc, kid } = Object.fromEntries(header);
  const kind = typeof alg === 'string' && Object.hasOwn(keyManagement, alg) ? keyManagement[alg] : undefined;
  if (kind === undefined || typeof enc !== 'string' || !contentEncryption.includes(enc)) return refused;
  if (kid !== undefined && typeof kid !== 'string') return refused;
  const fitting = keys.filter((key) => key.alg === kind && (kid === undefined || key.kid === kid));
  if (fitting.length === 0) return { kind: 'unknown-key' };
  for (const { privateKeyPem } of fitting) {
    const compact = await decrypt(token, privateKeyPem, String(alg), enc);
    if (compact !== null) return { kind: 'opened', compact };
  }
  // Without a name it may be for a key that comes later; with one, it was changed.
  return kid === undefined ? { kind: 'unknown-key' } : refused;
}

const refused: Opened = { kind: 'refused' };

/** Inside an ID token is a signed one, whether or not the header says so (OpenID Connect Core 1.0 §2, §16.14). */
function isNested(header: JsonObject): boolean {
  const contentType = header.get('cty');
  return contentType === undefined || (typeof contentType === 'string' && /^(application\/)?jwt$/i.test(contentType));
}

function readHeader(token: string): JsonObject | null {
  const [part = ''] = token.split('.');
  return parseJsonObject(Buffer.from(part, 'base64url').toString('utf8'));
}

async function decrypt(token: string, privateKeyPem: string, alg: string, enc: string): Promise<string | null> {
  try {
    const { plaintext } = await compactDecrypt(token, createPrivateKey(privateKeyPem), {
      keyManagementAlgorithms: [alg],
      contentEncryptionAlgorithms: [enc],
    });
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  } catch {
    return null;
  }
}
