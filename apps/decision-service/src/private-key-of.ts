import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SigningKey } from '#lib/persistence';

const parsed = new WeakMap<SigningKey, KeyObject>();

/** The private key in a form to sign with: reading it costs several times as much as a signature, so it is read once. */
export function privateKeyOf(key: SigningKey): KeyObject {
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const made = createPrivateKey(key.privateKeyPem);
  parsed.set(key, made);
  return made;
}
