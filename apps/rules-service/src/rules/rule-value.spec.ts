import { ruleBody, type RuleBody } from '#lib/contracts';
import type { RuleRow } from '#lib/persistence';
import { describe, expect, it } from '@jest/globals';
import { changedRule, newRule } from './rule-value.js';

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

  it('needs a secret when it is made', () => {
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

  it('needs a secret when it turns to one', () => {
    const keyed = aRow(aBody({ clientCredentials: { type: 'private-key-jwt' } }), null);
    expect(() => changedRule(aBody(noSecret), keyed)).toThrow(expect.objectContaining({ code: 'invalid_body' }));
    expect(changedRule(aBody(), keyed).clientSecret).toBe('s3cret');
  });

  it.each(['poll', 'ping', 'push'])('may be delivered by %s', (deliveryMode) => {
    expect(newRule(aBody({ deliveryMode })).definition.deliveryMode).toBe(deliveryMode);
  });
});
