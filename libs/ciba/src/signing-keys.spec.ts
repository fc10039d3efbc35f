import { beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { ProviderUnavailable } from './provider-faults.js';
import { SigningKeys } from './signing-keys.js';

interface Key {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

let nowMs: number;
let published: JWK[] | Error;
let fetches: number;
let keys: SigningKeys;

beforeEach(() => {
  nowMs = 1_000;
  published = [];
  fetches = 0;
  keys = new SigningKeys(
    () => nowMs,
    () => undefined,
  );
});

async function aKey(kid?: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), ...(kid !== undefined && { kid }) } };
}

function sign(key: Key): Promise<string> {
  const { kid } = key.jwk;
  return new SignJWT({}).setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) }).sign(key.privateKey);
}

async function check(token: string): Promise<string> {
  const load = () => {
    fetches += 1;
    return published instanceof Error
      ? Promise.reject(published)
      : Promise.resolve(new Map<string, unknown>([['keys', published]]));
  };
  return (await keys.check(token, ['ES256'], 'op-1', load)).kind;
}

describe('keys', () => {
  it('are fetched once for many tokens', async () => {
    const key = await aKey('a');
    published = [key.jwk];
    const token = await sign(key);
    expect(await Promise.all([check(token), check(token)])).toEqual(['good', 'good']);
    expect(fetches).toBe(1);
  });

  it('with a part that is no text do not count', async () => {
    const key = await aKey('a');
    published = [{ ...key.jwk, x: [key.jwk.x] as unknown as string }];
    expect(await check(await sign(key))).toBe('keys-unavailable');
  });

  it('are fetched again for a name that is new, every five seconds at most (R11)', async () => {
    const [old, young] = [await aKey('old'), await aKey('young')];
    published = [old.jwk];
    expect(await check(await sign(old))).toBe('good');
    published = [young.jwk];
    nowMs += 4_999;
    expect(await check(await sign(young))).toBe('keys-unavailable');
    expect(fetches).toBe(1);
    nowMs += 1;
    expect(await check(await sign(young))).toBe('good');
    expect(fetches).toBe(2);
  });

  it('are fetched again before a signature is called bad', async () => {
    const [old, young] = [await aKey('same'), await aKey('same')];
    published = [old.jwk];
    expect(await check(await sign(old))).toBe('good');
    nowMs += 5_000;
    published = [young.jwk];
    expect(await check(await sign(young))).toBe('good');
    expect(await check(await sign(old))).toBe('bad');
    expect(fetches).toBe(2);
  });

  it('give no verdict on a bad signature when they cannot be fetched again', async () => {
    const [known, stranger] = [await aKey('a'), await aKey('a')];
    published = [known.jwk];
    expect(await check(await sign(known))).toBe('good');
    nowMs += 5_000;
    published = new ProviderUnavailable('away');
    expect(await check(await sign(stranger))).toBe('keys-unavailable');
    expect(await check(await sign(known))).toBe('good');
  });

  it('serve through an outage of less than ten minutes', async () => {
    const key = await aKey('a');
    published = [key.jwk];
    const token = await sign(key);
    expect(await check(token)).toBe('good');
    published = new ProviderUnavailable('away');
    nowMs += 599_999;
    expect(await check(token)).toBe('good');
    nowMs += 1;
    expect(await check(token)).toBe('keys-unavailable');
    published = [key.jwk];
    nowMs += 3_000;
    expect(await check(token)).toBe('good');
  });

  it('without names are tried one by one', async () => {
    const [one, two, stranger] = [await aKey(), await aKey(), await aKey()];
    published = [one.jwk, two.jwk];
    expect(await check(await sign(two))).toBe('good');
    expect(await check(await sign(stranger))).toBe('bad');
  });

  it('that cannot be read give no verdict', async () => {
    const key = await aKey('a');
    published = [{ ...key.jwk, x: 'AA' }];
    expect(await check(await sign(key))).toBe('keys-unavailable');
  });

  it('that are secrets are not keys', async () => {
    published = [{ kty: 'oct', k: 'AAAA', kid: 'a' }];
    expect(await check(await sign(await aKey('a')))).toBe('keys-unavailable');
  });
});
