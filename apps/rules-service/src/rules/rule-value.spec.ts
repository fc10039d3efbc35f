import { ruleBody, type RuleBody } from '#lib/contracts';
import type { ProviderProfileName } from '#lib/ciba';
import type { RuleRow } from '#lib/persistence';
import { describe, expect, it } from '@jest/globals';
import { changedRule, newRule, refuseUnknownToProvider, ruleBodyOf } from './rule-value.js';

const id = '01890000-0000-7000-8000-000000000001';
const aBody = (members: Partial<Record<keyof RuleBody, unknown>> = {}): RuleBody =>
  ruleBody.parse({
    name: 'Pay',
    type: 'one-time-authorization',
    tokenProviderId: id,
    clientId: 'client',
    clientCredentials: { type: 'secret', clientSecret: 's3cret' },
    loginHintAttribute: 'email',
    ...members,
  });
const secretAgain = { clientCredentials: { type: 'secret', clientSecret: 's3cret' } };
const noSecret = { clientCredentials: { type: 'secret' } };
const aRow = (body: RuleBody, clientSecretSetAt: Date | null): RuleRow => ({
  id,
  version: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  definition: newRule(body).definition,
  clientSecretSetAt,
});

describe('a rule', () => {
  it('keeps its secret apart from its definition', () => {
    const value = newRule(aBody());
    expect(value.clientSecret).toBe('s3cret');
    expect(JSON.stringify(value.definition)).not.toContain('s3cret');
    expect(value.definition.clientCredentials).toEqual({ type: 'secret', method: null });
  });

  it('needs a secret when it is made (R115)', () => {
    expect(() => newRule(aBody(noSecret))).toThrow(
      expect.objectContaining({
        code: 'invalid_body',
        extras: { errors: [expect.objectContaining({ pointer: '/clientCredentials/clientSecret' })] },
      }),
    );
  });

  it('keeps the secret that it has', () => {
    expect(changedRule(aBody(noSecret), aRow(aBody(), new Date(0))).clientSecret).toBeNull();
  });

  it.each<[string, unknown]>([
    ['no list', { type: 'a' }],
    ['an empty list', []],
    ['text', '[{"type":"a"}]'],
    ['a detail without a type', [{ amount: 1 }]],
    ['a type that is no text', [{ type: 7 }]],
    ['an empty type', [{ type: '' }]],
    ['more than 20 details', Array.from({ length: 21 }, () => ({ type: 'a' }))],
    ['more than 8 levels', [{ type: 'a', b: [[[[[[[]]]]]]] }]],
    ['more than 8192 characters', [{ type: 'a', b: 'x'.repeat(8192) }]],
  ])('takes no %s for authorization details (R129)', (_what, authorizationDetails) => {
    expect(() => aBody({ authorizationDetails })).toThrow();
  });

  it('takes authorization details as they are (R129)', () => {
    const authorizationDetails = [{ type: 'payment', amount: { value: '{{amount}}', to: ['DE1', 7, null] } }];
    expect(newRule(aBody({ authorizationDetails })).definition).toMatchObject({ authorizationDetails });
  });

  it.each<[string, object]>([
    ['a hint of no kind', { hintKind: 'phone' }],
    ['a hint template without the value', { hintTemplate: 'tel:' }],
    ['an unknown subject policy', { subjectPolicy: 'any' }],
    ['a parameter that is no name', { extraParameters: { 'a b': 'x' } }],
    ['a parameter that is no text', { extraParameters: { audience: 1 } }],
    [
      'more than 20 parameters',
      { extraParameters: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`a${i}`, 'x'])) },
    ],
  ])('takes no %s', (_what, members) => {
    expect(() => aBody(members)).toThrow();
  });

  it.each<[string, object, boolean]>([
    ['needs an attribute', { subjectPolicy: 'bound' }, false],
    ['with an attribute', { subjectPolicy: 'bound', subjectAttribute: 'sub' }, true],
    ['of the hint with an attribute', { subjectPolicy: 'hint', subjectAttribute: 'sub' }, false],
    ['of nobody with an attribute', { subjectAttribute: 'sub' }, false],
  ])('bound to a subject %s (R94)', (_what, members, good) => {
    const make = () => newRule(aBody(members));
    if (good) expect(make().definition).toMatchObject(members);
    else expect(make).toThrow(expect.objectContaining({ code: 'invalid_body' }));
  });

  it.each<[ProviderProfileName, object, string | null]>([
    ['generic', { hintKind: 'login_hint_token', extraParameters: { notification_channel: 'sms' } }, null],
    ['wso2', { extraParameters: { notification_channel: 'external' } }, null],
    ['auth0', { extraParameters: { audience: 'api' } }, null],
    ['okta', { hintKind: 'login_hint_token' }, '/hintKind'],
    ['camara', { hintKind: 'id_token_hint' }, '/hintKind'],
    ['camara', { extraParameters: { audience: 'api' } }, '/extraParameters/audience'],
    ['generic', { extraParameters: { login_hint: 'bob' } }, '/extraParameters/login_hint'],
    ['generic', { extraParameters: { client_id: 'other' } }, '/extraParameters/client_id'],
  ])('at a provider of the profile %s with %j: %s (R25, Q24, Q36, R132)', (profile, members, pointer) => {
    const check = () => refuseUnknownToProvider(aBody(members), profile);
    if (pointer === null) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ extras: { errors: [expect.objectContaining({ pointer })] } }));
  });

  it('needs a secret when it turns to one', () => {
    const keyed = aRow(aBody({ clientCredentials: { type: 'private-key-jwt' } }), null);
    expect(() => changedRule(aBody(noSecret), keyed)).toThrow(expect.objectContaining({ code: 'invalid_body' }));
    expect(changedRule(aBody(), keyed).clientSecret).toBe('s3cret');
  });

  it.each(['poll', 'ping', 'push'])('may be delivered by %s (R117)', (deliveryMode) => {
    expect(newRule(aBody({ deliveryMode })).definition.deliveryMode).toBe(deliveryMode);
  });

  const keyed = { fapi: true, clientCredentials: { type: 'private-key-jwt' } };
  const certified = { fapi: true, clientCredentials: { type: 'mutual-tls', keyPairId: id } };
  it.each<[string, object, object]>([
    ['without fapi', {}, { signedRequest: false, dpop: false }],
    ['with fapi and a key', keyed, { signedRequest: true, dpop: true }],
    ['with fapi and a certificate, which binds by itself', certified, { signedRequest: true, dpop: false }],
    ['with fapi that says no', { ...keyed, signedRequest: false, dpop: false }, { signedRequest: false, dpop: false }],
    ['with fapi and an algorithm', { ...keyed, signedRequest: { alg: 'PS256' } }, { signedRequest: { alg: 'PS256' } }],
  ])('%s signs and binds as FAPI-CIBA asks unless it says otherwise (R118, R121)', (_what, members, expected) => {
    const { definition } = newRule(aBody(members));
    expect(definition).toMatchObject(expected);
    // What follows from a rule makes the same rule again.
    const again = ruleBody.parse({ ...ruleBodyOf(definition), ...('clientCredentials' in members ? {} : secretAgain) });
    expect(newRule(again).definition).toEqual(definition);
  });

  it('brings with fapi what FAPI asks for when it is patched in (R118)', () => {
    const { definition } = newRule(aBody({ clientCredentials: { type: 'private-key-jwt' } }));
    const patched = newRule(ruleBody.parse({ ...ruleBodyOf(definition), fapi: true }));
    expect(patched.definition).toMatchObject({ signedRequest: true, dpop: true });
  });
});
