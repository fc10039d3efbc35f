import { createPublicKey, webcrypto, type KeyObject } from 'node:crypto';

/** A key pair as the X.509 library wants it, and how it signs. */
export interface WebKey {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly signingAlgorithm: { readonly name: string; readonly hash: string };
}

const hashOfCurve: Readonly<Record<string, string>> = { 'P-256': 'SHA-256', 'P-384': 'SHA-384', 'P-521': 'SHA-512' };

/** Takes a private key over into Web Crypto, together with its public half. */
export async function webKey(privateKey: KeyObject): Promise<WebKey> {
  const { crv } = privateKey.export({ format: 'jwk' });
  const hash = crv === undefined ? 'SHA-256' : hashOfCurve[crv]!;
  const algorithm = crv === undefined ? { name: 'RSASSA-PKCS1-v1_5', hash } : { name: 'ECDSA', namedCurve: crv };
  const [pkcs8, spki] = [
    privateKey.export({ type: 'pkcs8', format: 'der' }),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  ];
  return {
    keys: {
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
    signingAlgorithm: { name: algorithm.name, hash },
  };
}
