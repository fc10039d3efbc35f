import { createPrivateKey, randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { ProviderMisconfigured } from './provider-faults.js';
import type { AssertionRules } from './provider-profiles.js';
import type { PrivateKeyJwtCredentials } from './registration.js';

const lifetimeSeconds = 60;

/** A private key, parsed once. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
}

/** Who signs assertions, and how. */
export interface AssertionSigner {
  readonly clientId: string;
  readonly issuer: string;
  readonly rules: AssertionRules;
  readonly key: SigningKey;
  readonly now: () => Date;
}

/** Parses a signing key. @throws ProviderMisconfigured when it is not a private key in PEM. */
export function readSigningKey({ signingKey }: PrivateKeyJwtCredentials): SigningKey {
  const { kid, alg, privateKeyPem } = signingKey;
  try {
    return { kid, alg, privateKey: createPrivateKey(privateKeyPem) };
  } catch (error) {
    throw new ProviderMisconfigured('the signing key cannot be read', { cause: error });
  }
}

/**
 * Signs an assertion for one call to `url`; its `jti` is never used again (RFC 7523 §3, RFC 10070).
 *
 * @throws ProviderMisconfigured when the key does not fit its algorithm.
 */
export async function clientAssertion(signer: AssertionSigner, url: string): Promise<string> {
  const { clientId, issuer, rules, key } = signer;
  const issuedAt = Math.floor(signer.now().getTime() / 1000);
  try {
    return await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...(rules.type !== null && { typ: rules.type }) })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(rules.audience === 'issuer' ? issuer : url)
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(key.privateKey);
  } catch (error) {
    throw new ProviderMisconfigured('the signing key does not fit its algorithm', { cause: error });
  }
}
