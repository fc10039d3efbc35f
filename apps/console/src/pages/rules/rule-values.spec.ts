import { ruleBody, type Rule } from '#lib/contracts';
import { describe, expect, it } from '@jest/globals';
import { bodyOf, fieldOfPointer, newRuleValues, saysAdvanced, valuesOf, type RuleValues } from './rule-values.js';

const anId = '01890000-0000-7000-8000-00000000ffff';
const filled: RuleValues = {
  ...newRuleValues,
  name: 'Approve a payment',
  tokenProviderId: anId,
  clientId: 'payments',
  credentialsType: 'private-key-jwt',
  loginHintAttribute: 'email',
};
/** What the service would store and show. */
const stored = (values: RuleValues): Rule => {
  const body = ruleBody.parse(bodyOf(values));
  const credentials = body.clientCredentials;
  return {
    ...body,
    signedRequest: body.signedRequest ?? false,
    dpop: body.dpop ?? false,
    clientCredentials:
      credentials.type === 'secret'
        ? { type: 'secret', method: credentials.method, clientSecretSetAt: '2026-01-01T00:00:00.000Z' }
        : credentials,
    id: anId,
    version: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  };
};

describe('the values of a rule form', () => {
  it.each<[string, Partial<RuleValues>]>([
    ['the least', {}],
    ['a secret', { credentialsType: 'secret', clientSecret: 's3cret', secretMethod: 'client_secret_post' }],
    ['mutual TLS', { credentialsType: 'mutual-tls', keyPairId: anId, tlsMethod: 'self_signed_tls_client_auth' }],
    [
      'everything advanced',
      {
        scopes: ['payments', 'profile'],
        bindingMessage: 'Pay {{amount}}',
        requestedExpirySeconds: 90,
        timeoutRejectionHandlerId: anId,
        denyRejectionHandlerId: anId,
        errorRejectionHandlerId: anId,
        deliveryMode: 'ping',
        subjectPolicy: 'bound',
        subjectAttribute: 'sub',
        acrValues: ['urn:high'],
        authorizationDetails: '[{"type":"payment","amount":"{{amount}}"}]',
        extraParameters: [{ name: 'audience', value: 'https://api.example' }],
        signedRequest: 'PS256',
        dpop: 'yes',
        releaseAccessToken: true,
        consumeWithinSeconds: 60,
        onInitiationUnknown: 'ask-again',
        promptLimits: { ...newRuleValues.promptLimits, perHour: 7, outstanding: 0 },
        joinIdentical: true,
        enabled: false,
      },
    ],
  ])('go through storage unchanged: %s', (_, over) => {
    const values = { ...filled, ...over };
    const shown = valuesOf(stored(values));
    expect(bodyOf(shown)).toEqual({
      ...bodyOf({ ...values, clientSecret: '' }),
      signedRequest: stored(values).signedRequest,
      dpop: stored(values).dpop,
    });
  });

  it('leave a secret out that was not typed, so that the stored one stays', () => {
    expect(bodyOf({ ...filled, credentialsType: 'secret' }).clientCredentials).toEqual({
      type: 'secret',
      method: null,
    });
  });

  it('are refused where the mistake is', () => {
    const wrong = { ...filled, name: '', requestedExpirySeconds: 'soon', authorizationDetails: '[{', clientId: 'ü' };
    const { error } = ruleBody.safeParse(bodyOf(wrong));
    const fields = error!.issues.map(({ path }) => fieldOfPointer(`/${path.join('/')}`));
    expect(new Set(fields)).toEqual(new Set(['name', 'clientId', 'requestedExpirySeconds', 'authorizationDetails']));
  });

  it.each([
    ['/clientCredentials/clientSecret', 'clientSecret'],
    ['/clientCredentials', 'credentialsType'],
    ['/scopes/2', 'scopes'],
    ['/promptLimits/perHour', 'promptLimits.perHour'],
    ['/extraParameters/audience', 'extraParameters'],
    ['/nowhere', null],
    ['/__proto__', null],
    ['', null],
  ])('the pointer %s leads to the field %s', (pointer, field) => {
    expect(fieldOfPointer(pointer)).toBe(field);
  });

  it('know whether a rule says something advanced', () => {
    expect(saysAdvanced(newRuleValues)).toBe(false);
    expect(saysAdvanced(valuesOf(stored(filled)))).toBe(false);
    expect(saysAdvanced({ ...filled, requestedExpirySeconds: 60 })).toBe(true);
  });
});
