import { sign, type KeyObject } from 'node:crypto';
import { SignJWT, type JWTHeaderParameters, type JWTPayload } from 'jose';

/**
 * Signs a JWT (RFC 7515, compact). An ES256 signature is made at once, since handing it to another thread takes longer
 * than making it; every other one is left to the library, and RSA to its threads.
 *
 * @throws what the library throws when the key does not fit the algorithm.
 */
export async function signJwt(header: JWTHeaderParameters, claims: JWTPayload, key: KeyObject): Promise<string> {
  if (header.alg !== 'ES256' || !isP256(key)) return new SignJWT(claims).setProtectedHeader(header).sign(key);
  const signed = `${part(header)}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const isP256 = ({ type, asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean =>
  type === 'private' && asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1';
