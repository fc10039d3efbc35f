import { describe, expect, it } from '@jest/globals';
import { decodeIdToken } from './id-token.js';

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const header = part({ alg: 'ES256' });
const claims = part({ sub: 'alice' });

describe('an ID token that is taken apart', () => {
  it('has a header and claims', () => {
    const idToken = decodeIdToken(`${header}.${claims}.c2ln`);
    expect(idToken?.compact).toBe(`${header}.${claims}.c2ln`);
    expect(idToken?.header.get('alg')).toBe('ES256');
    expect(idToken?.claims.get('sub')).toBe('alice');
  });

  it.each([
    ['no signature', `${header}.${claims}`],
    ['an empty signature', `${header}.${claims}.`],
    ['an empty header', `.${claims}.c2ln`],
    ['a fourth part', `${header}.${claims}.c2ln.x`],
    ['five parts, as if it were encrypted', `${header}.a.b.${claims}.c2ln`],
    ['padding', `${header}.${claims}.c2ln=`],
    ['a blank before it', ` ${header}.${claims}.c2ln`],
    ['a line break behind it', `${header}.${claims}.c2ln\n`],
    ['the alphabet of base64', `${header}.${claims}.+/8`],
    ['a header that is no JSON', `${part('alg')}.${claims}.c2ln`],
    ['a header that is a list', `${part([])}.${claims}.c2ln`],
    ['claims that are no object', `${header}.${part('"sub"')}.c2ln`],
    ['claims that are no UTF-8', `${header}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.c2ln`],
    ['a claim twice', `${header}.${part('{"sub":"alice","sub":"bob"}')}.c2ln`],
    ['nothing', ''],
  ])('is none with %s', (_what, compact) => {
    expect(decodeIdToken(compact)).toBeNull();
  });
});
