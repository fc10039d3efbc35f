import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import { signJwt } from './sign-jwt.js';

const claims = { iss: 'client', jti: 'ünïque', iat: 1_772_366_401 };
const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

describe('a signed JWT', () => {
  it.each(Object.entries(pairs))(
    'of %s verifies, header and claims as given',
    async (alg, { privateKey, publicKey }) => {
      const header = { alg, kid: 'key-1', typ: 'of-a-kind+jwt' };
      const verified = await jwtVerify(await signJwt(header, claims, privateKey), publicKey, { algorithms: [alg] });
      expect(verified.payload).toEqual(claims);
      expect(verified.protectedHeader).toEqual(header);
    },
  );

  it.each([
    ['a key of another kind', pairs.PS256.privateKey],
    ['a curve of another size', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['a public key', pairs.ES256.publicKey],
    ['a secret', createSecretKey(Buffer.alloc(32, 7))],
  ])('is not made with %s', async (_what, key) => {
    await expect(signJwt({ alg: 'ES256' }, claims, key)).rejects.toThrow();
  });
});
