import type { Scope } from '#lib/contracts';
import { describe, expect, it } from '@jest/globals';
import { hasClaim, nameOfClaims, roleOfClaims, roleOfScopes } from './console-user.js';

const settings = { claim: 'roles', adminRoles: ['assent-admin', 'root'], auditorRoles: ['assent-auditor'] };
const claims = (over: object) => ({ sub: 'a1', ...over });

describe('the role of a person', () => {
  it.each<readonly [object, string | null]>([
    [{ roles: ['assent-admin'] }, 'admin'],
    [{ roles: ['assent-auditor', 'root'] }, 'admin'],
    [{ roles: ['assent-auditor'] }, 'auditor'],
    [{ roles: 'assent-auditor other' }, 'auditor'],
    [{ roles: ['assent-administrator'] }, null],
    [{ roles: [['assent-admin']] }, null],
    [{ roles: { 'assent-admin': true } }, null],
    [{ roles: [] }, null],
    [{ roles: null }, null],
    [{}, null],
    [{ groups: ['assent-admin'] }, null],
  ])('%j is %s', (over, role) => {
    expect(roleOfClaims(claims(over), settings)).toBe(role);
  });

  it('is found inside a claim, or under a name with dots', () => {
    const inside = claims({ realm_access: { roles: ['root'] } });
    expect(roleOfClaims(inside, { ...settings, claim: 'realm_access.roles' })).toBe('admin');
    const address = claims({ 'https://assent.example/roles': ['root'] });
    expect(roleOfClaims(address, { ...settings, claim: 'https://assent.example/roles' })).toBe('admin');
  });

  it('is never read from what every object has', () => {
    for (const claim of ['constructor.name', '__proto__', 'toString']) expect(hasClaim(claims({}), claim)).toBe(false);
  });
});

it.each<readonly [Scope[], string | null]>([
  [['admin:read', 'admin:write', 'requests:read', 'requests:write'], 'admin'],
  [['admin:read', 'admin:write'], 'admin'],
  [['admin:read'], 'auditor'],
  [['admin:write'], null],
  [['requests:read', 'requests:write'], null],
])('a key with %j makes %s', (scopes, role) => {
  expect(roleOfScopes(new Set(scopes))).toBe(role);
});

it('calls people by what they are known as, and by nothing that would break a line', () => {
  expect(nameOfClaims(claims({ preferred_username: 'alice', email: 'a@example.com' }))).toBe('alice');
  expect(nameOfClaims(claims({ preferred_username: ' ', email: 'a@example.com' }))).toBe('a@example.com');
  expect(nameOfClaims(claims({ preferred_username: 7 }))).toBe('a1');
  expect(nameOfClaims(claims({ name: 'a\r\nb\u0000' }))).toBe('a  b');
  expect(nameOfClaims(claims({ name: 'x'.repeat(500) }))).toHaveLength(128);
});
