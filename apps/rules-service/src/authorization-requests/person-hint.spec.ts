import { ruleDefaults, type RuleDefinition } from '#lib/domain';
import { describe, expect, it } from '@jest/globals';
import { personHint, personOf } from './person-hint.js';

const issuer = 'https://tenant.example/';
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const idToken = (iss: string) => `${encode({ alg: 'ES256' })}.${encode({ iss, sub: 'alice' })}.c2lnbmF0dXJl`;

const aRule = (over: Partial<RuleDefinition>, profile: 'generic' | 'auth0' | 'camara' = 'generic') => ({
  definition: {
    ...ruleDefaults,
    name: 'Pay',
    tokenProviderId: 'id',
    clientId: 'client',
    clientCredentials: { type: 'private-key-jwt' },
    loginHintAttribute: 'user',
    ...over,
  } as const,
  provider: { id: 'id', issuer, profile },
});

describe('the hint of a request', () => {
  it('is made as the provider wants it', () => {
    expect(personHint(aRule({}), { user: ' alice ' })).toBe('alice');
    expect(personHint(aRule({}, 'camara'), { user: '+49301234' })).toBe('tel:+49301234');
    expect(JSON.parse(personHint(aRule({}, 'auth0'), { user: 'auth0|1' }))).toEqual({
      format: 'iss_sub',
      iss: issuer,
      sub: 'auth0|1',
    });
  });

  it.each<[string, Partial<RuleDefinition>, string, string]>([
    ['that is empty', {}, ' ', 'login_hint_missing'],
    ['of another issuer (R23)', { hintKind: 'id_token_hint' }, idToken('https://tenant.example'), 'invalid_body'],
    ['that is no ID token (R23)', { hintKind: 'id_token_hint' }, 'alice', 'invalid_body'],
    ['that lenient readers read otherwise (R108)', {}, '{"format":"opaque","id":"a","id":"b"}', 'invalid_body'],
    ['that names no subject where one is expected (R94)', { subjectPolicy: 'hint' }, 'alice', 'invalid_body'],
  ])('is refused before anything is stored when it is one %s', (_what, over, user, code) => {
    expect(() => personHint(aRule(over), { user })).toThrow(
      expect.objectContaining({
        code,
        extras: { errors: [expect.objectContaining({ pointer: '/attributes/user' })] },
      }),
    );
  });

  it('names one person for all whom only the provider can read, by client and rule (R108)', () => {
    const rule = { id: 'rule-1', ...aRule({ hintKind: 'id_token_hint' }) };
    const named = (text: string, client = 'client-1', id = 'rule-1') => {
      const user = `eyJhbGciOiJSU0EifQ.a2V5.aXY.${text}.dGFn`;
      return personOf({ ...rule, id }, client, user, { user });
    };
    expect(named('dGV4dA')).toBe(named('b3RoZXI'));
    expect(new Set([named('a'), named('a', 'client-2'), named('a', 'client-1', 'rule-2')]).size).toBe(3);
    expect(personOf(rule, 'client-1', idToken(issuer), { user: idToken(issuer) })).toBe('alice');
  });

  it.each<[string, Partial<RuleDefinition>, string]>([
    ['an ID token of this provider', { hintKind: 'id_token_hint', subjectPolicy: 'hint' }, idToken(issuer)],
    ['an encrypted one', { hintKind: 'id_token_hint' }, 'eyJhbGciOiJSU0EifQ.a2V5.aXY.dGV4dA.dGFn'],
  ])('is passed on as it is: %s (R23)', (_what, over, user) => {
    expect(personHint(aRule(over), { user })).toBe(user);
  });
});
