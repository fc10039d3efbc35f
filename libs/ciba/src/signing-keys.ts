import { compactVerify, createLocalJWKSet, errors, type CompactVerifyGetKey } from 'jose';
import { AgingCache } from './aging-cache.js';
import type { CibaLog } from './ciba-log.js';
import { faultMessage, ProviderUnavailable } from './provider-faults.js';
import { isRecord, type JsonObject } from './strict-json.js';

/** What a signature turned out to be. */
export type SignatureCheck =
  | { readonly kind: 'good' }
  | { readonly kind: 'bad' }
  /** The key is unknown or could not be had: nothing is said about the signature. */
  | {
      readonly kind: 'keys-unavailable';
      /** Whether the issuer's list was had, and lacks the key. */
      readonly cause: 'unpublished' | 'unreachable';
      readonly detail: string;
    };

/** Fetches a provider's key document; rejects when it cannot. */
export type LoadKeys = () => Promise<JsonObject>;

interface KeySet {
  readonly find: CompactVerifyGetKey;
}

const maximumKeys = 100;
const keyParts = ['kty', 'crv', 'x', 'y', 'n', 'e', 'alg', 'use', 'kid'];
const renewAtMostEveryMs = 5_000;
const limits = { refreshAfterMs: 300_000, maximumAgeMs: 600_000, rememberFailureMs: 3_000, maximumSize: 1_000 };

/** The providers' public keys, kept for ten minutes at most and fetched anew when a signature does not fit them. */
export class SigningKeys {
  private readonly cache: AgingCache<KeySet>;

  /** @param nowMs a clock that never runs backwards. */
  constructor(nowMs: () => number, log: CibaLog) {
    this.cache = new AgingCache(limits, nowMs, (provider, reason) =>
      log('warn', "a provider's keys could not be refreshed", { provider, reason: faultMessage(reason) }),
    );
  }

  /** Checks the signature of a compact JWS with the keys that `load` finds; never rejects. */
  async check(compact: string, algorithms: string[], providerId: string, load: LoadKeys): Promise<SignatureCheck> {
    const loadKeySet = async () => readKeySet(await load());
    try {
      const known = await this.cache.get(providerId, loadKeySet);
      const verdict = await checkSignature(compact, algorithms, known);
      if (verdict.kind === 'good') return verdict;
      // The provider may have changed its keys since, and may even have kept their names.
      const renewed = await this.cache.renew(providerId, renewAtMostEveryMs, loadKeySet);
      return renewed === known ? verdict : await checkSignature(compact, algorithms, renewed);
    } catch (error) {
      return unavailable('unreachable', faultMessage(error));
    }
  }
}

/** @throws ProviderUnavailable when the document holds no usable list: a broken one may be mended, so nothing is final. */
function readKeySet(document: JsonObject): KeySet {
  const keys = document.get('keys');
  if (!Array.isArray(keys) || keys.length > maximumKeys || !keys.every(isRecord)) {
    throw new ProviderUnavailable('the key document holds no usable list of keys');
  }
  return { find: createLocalJWKSet({ keys: keys.filter(isPlain) }) };
}

/** Whether each part of a key is text, as it has to be (RFC 7518 §6); importing would make text of anything. */
function isPlain(key: Record<string, unknown>): boolean {
  return keyParts.every((part) => !Object.hasOwn(key, part) || typeof key[part] === 'string');
}

async function checkSignature(compact: string, algorithms: string[], keys: KeySet): Promise<SignatureCheck> {
  try {
    await compactVerify(compact, keys.find, { algorithms });
    return { kind: 'good' };
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return { kind: 'bad' };
    if (error instanceof errors.JWKSMultipleMatchingKeys) return checkEach(compact, algorithms, error);
    if (error instanceof errors.JWKSNoMatchingKey)
      return unavailable('unpublished', 'the key of the token is not published');
    return unavailable('unpublished', 'the key of the token cannot be used');
  }
}

/** Several keys may fit a token that does not name one. */
async function checkEach(
  compact: string,
  algorithms: string[],
  candidates: errors.JWKSMultipleMatchingKeys,
): Promise<SignatureCheck> {
  for await (const key of candidates) {
    const fits = await compactVerify(compact, key, { algorithms }).then(
      () => true,
      () => false,
    );
    if (fits) return { kind: 'good' };
  }
  return { kind: 'bad' };
}

function unavailable(cause: 'unpublished' | 'unreachable', detail: string): SignatureCheck {
  return { kind: 'keys-unavailable', cause, detail };
}
