import { createPrivateKey, createSecretKey, randomUUID, type KeyObject } from 'node:crypto';
import { ProviderMisconfigured } from './provider-faults.js';
import type { AssertionRules } from './provider-profiles.js';
import type { SigningKeyMaterial } from './registration.js';
import { signJwt } from './sign-jwt.js';

const lifetimeSeconds = 60;
/** A key as long as the hash at least (RFC 7518 §3.2). */
const shortestSecretBytes = 32;

/** A key, parsed once. */
export interface SigningKey {
  /** Null for a secret, which nobody publishes. */
  readonly kid: string | null;
  readonly alg: string;
  readonly key: KeyObject;
}

/** Who signs assertions, and how. */
export interface AssertionSigner {
  readonly clientId: string;
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly rules: AssertionRules;
  readonly key: SigningKey;
  readonly now: () => Date;
}

/** Parses a signing key. @throws ProviderMisconfigured when it is not a private key in PEM. */
export function readSigningKey({ kid, alg, privateKeyPem }: SigningKeyMaterial): SigningKey {
  try {
    return { kid, alg, key: createPrivateKey(privateKeyPem) };
  } catch (error) {
    throw new ProviderMisconfigured('the signing key cannot be read', { cause: error });
  }
}

/** A client secret as the key of client_secret_jwt. @throws ProviderMisconfigured when it is too short for that. */
export function secretSigningKey(clientSecret: string): SigningKey {
  const bytes = Buffer.from(clientSecret);
  if (bytes.length < shortestSecretBytes) {
    throw new ProviderMisconfigured(`a client secret that signs has ${shortestSecretBytes} bytes at least`);
  }
  return { kid: null, alg: 'HS256', key: createSecretKey(bytes) };
}

/**
 * Signs an assertion for one call to `url`; its `jti` is never used again (RFC 7523 §3, RFC 10070).
 *
 * @throws ProviderMisconfigured when the key does not fit its algorithm.
 */
export async function clientAssertion(signer: AssertionSigner, url: string): Promise<string> {
  const { clientId, issuer, tokenEndpoint, rules, key } = signer;
  const issuedAt = Math.floor(signer.now().getTime() / 1000);
  try {
    const header = {
      alg: key.alg,
      ...(key.kid !== null && { kid: key.kid }),
      ...(rules.type !== null && { typ: rules.type }),
    };
    const claims = {
      jti: randomUUID(),
      iss: clientId,
      sub: clientId,
      aud: rules.audience === 'issuer' ? issuer : rules.audience === 'token-endpoint' ? tokenEndpoint : url,
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + lifetimeSeconds,
    };
    return await signJwt(header, claims, key.key);
  } catch (error) {
    throw new ProviderMisconfigured('the signing key does not fit its algorithm', { cause: error });
  }
}
