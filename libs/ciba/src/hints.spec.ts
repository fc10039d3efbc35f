import { describe, expect, it } from '@jest/globals';
import type { HintKind } from '#lib/domain';
import { hintProblem, hintSubject, isUnreadable, renderHint, takesHint, type HintForm } from './hints.js';
import { startMembers } from './start-members.js';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderProfileName } from './registration.js';

const issuer = 'https://tenant.example/';
const own: HintForm = { kind: 'login_hint', template: null };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown) => `${encode({ alg: 'ES256' })}.${encode(claims)}.c2lnbmF0dXJl`;
const encrypted = 'eyJhbGciOiJSU0EifQ.a2V5.aXY.dGV4dA.dGFn';

describe('a hint', () => {
  it.each<[string, ProviderProfileName, HintForm, string, string]>([
    ['the value itself', 'generic', own, 'alice@example.com', 'alice@example.com'],
    [
      'an iss_sub identifier with the issuer’s trailing slash (Q1)',
      'auth0',
      own,
      'auth0|1',
      '{"format":"iss_sub","iss":"https://tenant.example/","sub":"auth0|1"}',
    ],
    [
      'one identifier, whatever the value holds (Q1)',
      'auth0',
      own,
      'a","iss":"https://other.example/',
      JSON.stringify({ format: 'iss_sub', iss: issuer, sub: 'a","iss":"https://other.example/' }),
    ],
    ['an identifier that is finished (Q1)', 'auth0', own, '{"format":"iss_sub"}', '{"format":"iss_sub"}'],
    ['a telephone number (Q36, R134)', 'camara', own, '+49301234', 'tel:+49301234'],
    ['a prefixed value (Q36)', 'camara', own, 'ipport:198.51.100.1:80', 'ipport:198.51.100.1:80'],
    ['the rule’s own form (Q36)', 'camara', { ...own, template: 'operatortoken:{{value}}' }, 'x', 'operatortoken:x'],
    [
      'the rule’s own form, with the issuer',
      'generic',
      { ...own, template: '{{ issuer }}#{{value}}' },
      'x',
      `${issuer}#x`,
    ],
    ['a token as it is', 'generic', { kind: 'login_hint_token', template: null }, 'a.b.c', 'a.b.c'],
  ])('is %s', (_what, profile, form, value, expected) => {
    expect(renderHint(form, value, { issuer, profile })).toBe(expected);
  });

  it.each<[ProviderProfileName, HintKind, boolean]>([
    ['generic', 'login_hint_token', true],
    ['okta', 'id_token_hint', true],
    ['okta', 'login_hint_token', false],
    ['camara', 'id_token_hint', false],
    ['auth0', 'login_hint_token', false],
  ])('of a kind: %s takes %s: %s (Q36)', (profile, kind, taken) => {
    expect(takesHint(profile, kind)).toBe(taken);
  });

  it.each<HintKind>(['login_hint', 'id_token_hint', 'login_hint_token'])('is the only one: %s (R15)', (hintKind) => {
    const request = {
      scope: 'openid',
      loginHint: 'alice',
      hintKind,
      extraParameters: {
        login_hint: 'bob',
        id_token_hint: 'bob',
        login_hint_token: 'bob',
        audience: 'api',
        scope: 'all',
      },
      bindingMessage: null,
      requestedExpirySeconds: null,
      acrValues: [],
      authorizationDetails: null,
      userCode: null,
      clientNotificationToken: null,
    };
    const present = Object.entries(startMembers(request, providerProfiles.generic)).filter(
      ([, value]) => value !== null,
    );
    expect(Object.fromEntries(present)).toEqual({ [hintKind]: 'alice', audience: 'api', scope: 'openid' });
  });
});

describe('an ID token as hint (R23)', () => {
  it.each<[string, string, boolean]>([
    ['of this provider', jwt({ iss: issuer, sub: 'alice' }), true],
    ['that is encrypted, which is passed on as it is', encrypted, true],
    ['of another issuer', jwt({ iss: 'https://tenant.example', sub: 'alice' }), false],
    ['of no issuer', jwt({ sub: 'alice' }), false],
    ['that is none', 'alice@example.com', false],
    ['that is no JSON', 'a.b.c', false],
  ])('%s (R23)', (_what, hint, good) => {
    expect(hintProblem('id_token_hint', hint, issuer) === null).toBe(good);
  });

  it('is asked for of that kind only', () => {
    expect(hintProblem('login_hint', 'alice@example.com', issuer)).toBeNull();
    expect(hintProblem('login_hint_token', 'a.b.c', issuer)).toBeNull();
  });
});

describe('a login hint that is JSON (R108)', () => {
  const bom = '\uFEFF';
  it.each<[string, string, boolean]>([
    ['a plain object', '{"format":"email","email":"alice@example.com"}', true],
    ['one with blanks around it', ' {"a":1}\n', true],
    ['an address', 'alice@example.com', true],
    ['an address with a brace', 'alice{1}@example.com', true],
    ['a member twice', '{"format":"email","email":"alice@example.com","email":"bob@example.com"}', false],
    ['a member twice, one of them escaped', '{"a":1,"\\u0061":2}', false],
    ['a trailing comma', '{"format":"email","email":"alice@example.com",}', false],
    ['single quotes', "{'format':'email'}", false],
    ['names without quotes', '{format:"email"}', false],
    ['a comment in it', '{/**/"format":"email"}', false],
    ['a comment before it', '/**/{"format":"email"}', false],
    ['a line of comment before it', '//\n{"format":"email"}', false],
    ['a byte order mark before it', `${bom}{"format":"email"}`, false],
    ['something after it', '{"format":"email"}{}', false],
    ['a prototype', '{"__proto__":{"format":"email"}}', false],
    ['a brace that stays open', '{"format":"email"', false],
  ])('%s', (_what, hint, good) => {
    expect(hintProblem('login_hint', hint, issuer) === null).toBe(good);
  });
});

describe('whom only the provider can read (R108)', () => {
  it.each<[HintKind, string, boolean]>([
    ['id_token_hint', encrypted, true],
    ['login_hint_token', encrypted, true],
    ['login_hint', encrypted, false],
    ['id_token_hint', jwt({ iss: issuer, sub: 'alice' }), false],
  ])('of %s: %s is %s', (kind, hint, expected) => {
    expect(isUnreadable(kind, hint)).toBe(expected);
  });
});

describe('the subject of a hint (R94)', () => {
  const identifier = { format: 'iss_sub', iss: issuer, sub: 'alice' };

  it.each<[string, HintKind, string, string | null]>([
    ['of an ID token', 'id_token_hint', jwt({ iss: issuer, sub: 'alice' }), 'alice'],
    ['of an identifier', 'login_hint', JSON.stringify(identifier), 'alice'],
    ['of a token’s identifier', 'login_hint_token', jwt({ sub_id: identifier }), 'alice'],
    ['of another issuer’s ID token', 'id_token_hint', jwt({ iss: 'https://other.example', sub: 'alice' }), null],
    [
      'of another issuer’s identifier',
      'login_hint',
      JSON.stringify({ ...identifier, iss: 'https://other.example' }),
      null,
    ],
    ['of another format', 'login_hint', JSON.stringify({ ...identifier, format: 'email' }), null],
    ['of an address', 'login_hint', 'alice@example.com', null],
    ['of an encrypted token', 'id_token_hint', encrypted, null],
    ['of a subject that is no text', 'id_token_hint', jwt({ iss: issuer, sub: 7 }), null],
    ['of an empty subject', 'id_token_hint', jwt({ iss: issuer, sub: '' }), null],
    ['named twice', 'login_hint', `{"format":"iss_sub","iss":"${issuer}","sub":"alice","sub":"bob"}`, null],
    ['of a token with a subject and no identifier', 'login_hint_token', jwt({ iss: issuer, sub: 'alice' }), null],
  ])('%s', (_what, kind, hint, expected) => {
    expect(hintSubject(kind, hint, issuer)).toBe(expected);
  });
});
