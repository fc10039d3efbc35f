import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CompactEncrypt } from 'jose';
import { isEncrypted, maximumEncryptedLength, namesKey, openEncrypted } from './encrypted-token.js';
import { openHint } from './hints.js';
import type { DecryptionKeyMaterial } from './registration.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const former = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const keys: readonly DecryptionKeyMaterial[] = [
  { kid: 'ec-2', alg: 'ECDH-ES', privateKeyPem: pem(ec) },
  { kid: 'ec-1', alg: 'ECDH-ES', privateKeyPem: pem(former) },
  { kid: 'rsa-1', alg: 'RSA-OAEP-256', privateKeyPem: pem(rsa) },
];
const inner = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln';

const seal = (header: { alg: string; enc: string } & Record<string, unknown>, key = rsa.publicKey, text = inner) =>
  new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(header).encrypt(key);
/** The token with another header, which its integrity tag does not cover any more. */
const relabelled = async (header: object): Promise<string> => {
  const token = await seal({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'rsa-1' });
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...token.split('.').slice(1)].join('.');
};

describe('a token that was encrypted to us (R99)', () => {
  it.each([
    ['RSA-OAEP-256', 'A256GCM', 'rsa-1', rsa.publicKey],
    ['RSA-OAEP-256', 'A128CBC-HS256', 'rsa-1', rsa.publicKey],
    ['ECDH-ES', 'A256GCM', 'ec-2', ec.publicKey],
    ['ECDH-ES+A256KW', 'A128CBC-HS256', 'ec-2', ec.publicKey],
    ['ECDH-ES+A256KW', 'A256GCM', 'ec-1', former.publicKey],
    ['ECDH-ES', 'A128CBC-HS256', undefined, former.publicKey],
    ['RSA-OAEP-256', 'A256GCM', undefined, rsa.publicKey],
  ])('opens: %s, %s, key %s', async (alg, enc, kid, key) => {
    const token = await seal({ alg, enc, cty: 'JWT', ...(kid !== undefined && { kid }) }, key);
    expect(isEncrypted(token)).toBe(true);
    expect(await openEncrypted(token, keys)).toEqual({ kind: 'opened', compact: inner });
  });

  it.each([
    ['for a key that is not here yet', { kid: 'rsa-2' }, rsa.publicKey],
    ['for a key that nobody names, and that is not ours', {}, stranger.publicKey],
    ['that names a key of the other kind', { kid: 'ec-2' }, rsa.publicKey],
  ])('%s waits', async (_what, header, key) => {
    const token = await seal({ alg: 'RSA-OAEP-256', enc: 'A256GCM', ...header }, key);
    expect(await openEncrypted(token, keys)).toEqual({ kind: 'unknown-key' });
  });

  const usual = { alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'rsa-1' };
  it.each<[string, object]>([
    ['RSA1_5', { ...usual, alg: 'RSA1_5' }],
    ['RSA-OAEP with SHA-1', { ...usual, alg: 'RSA-OAEP' }],
    ['a shared key', { ...usual, alg: 'dir' }],
    ['a password', { ...usual, alg: 'PBES2-HS256+A128KW', p2s: 'AAAA', p2c: 1e9 }],
    ['an algorithm named constructor', { ...usual, alg: 'constructor' }],
    ['an algorithm that is a list', { ...usual, alg: ['RSA-OAEP-256'] }],
    ['another content encryption', { ...usual, enc: 'A128GCM' }],
    ['no content encryption', { alg: 'RSA-OAEP-256' }],
    ['compression', { ...usual, zip: 'DEF' }],
    ['an extension that must be understood', { ...usual, crit: ['exp'], exp: 1 }],
    ['a key of its own', { ...usual, jwk: {} }],
    ['the address of a key', { ...usual, jku: 'https://evil.example' }],
    ['a certificate’s address', { ...usual, x5u: 'https://evil.example' }],
    ['a key name that is no text', { ...usual, kid: 1 }],
    ['something else inside', { ...usual, cty: 'text/plain' }],
    ['a header that was changed', { ...usual, typ: 'JWT' }],
  ])('is refused with %s', async (_what, header) => {
    expect(await openEncrypted(await relabelled(header), keys)).toEqual({ kind: 'refused' });
  });

  it.each([1, 2, 3, 4])('is refused when part %i was changed', async (index) => {
    const parts = (await seal(usual)).split('.');
    parts[index] = `${parts[index]!.startsWith('A') ? 'B' : 'A'}${parts[index]!.slice(1)}`;
    expect(await openEncrypted(parts.join('.'), keys)).toEqual({ kind: 'refused' });
  });

  it('is refused unopened when it is too long', async () => {
    const token = await seal(usual, rsa.publicKey, 'x'.repeat(maximumEncryptedLength));
    expect(await openEncrypted(token, keys)).toEqual({ kind: 'refused' });
  });

  it.each(['....', 'e30.a.b.c', `${inner}.x`, 'bm9uZQ.a.b.c.d'])('that is none is refused: %s', async (token) => {
    expect((await openEncrypted(token, keys)).kind).toBe('refused');
  });
});

describe('an ID token as a hint that is encrypted (R23)', () => {
  let toUs: string;
  let toProvider: string;
  beforeAll(async () => {
    toUs = await seal({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'rsa-1' });
    toProvider = await seal({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'of-the-provider' }, stranger.publicKey);
  });
  const open = (value: string, kind: 'login_hint' | 'id_token_hint' = 'id_token_hint') =>
    openHint(kind, value, async () => keys);

  it('to us is opened before it is sent, and to the provider it is passed on', async () => {
    expect(await open(toUs)).toBe(inner);
    expect(await open(toProvider)).toBe(toProvider);
    expect(await open(inner)).toBe(inner);
    expect(await open(toUs, 'login_hint')).toBe(toUs);
  });

  it('to us in a way that does not open is no hint', async () => {
    const changed = await relabelled({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'rsa-1', typ: 'JWT' });
    expect(namesKey(changed, keys)).toBe(true);
    expect(await open(changed)).toBeNull();
  });

  it('to the provider by an algorithm of its own is passed on', async () => {
    const token = await relabelled({ alg: 'RSA1_5', enc: 'A128GCM' });
    expect(await open(token)).toBe(token);
  });
});
