import { describe, expect, it } from '@jest/globals';
import type { Attributes } from './attributes.js';
import { loginHint, requestedDetails, requestedScope } from './rule.js';

describe('the scope of the start call (R14)', () => {
  it.each([
    ['nothing chosen', [], 'openid'],
    ['scopes chosen', ['payments', 'email'], 'openid payments email'],
    ['openid chosen as well', ['payments', 'openid'], 'openid payments'],
    ['a scope chosen twice', ['payments', 'payments'], 'openid payments'],
  ])('%s', (_, scopes, expected) => {
    expect(requestedScope(scopes)).toBe(expected);
  });
});

describe('the login hint', () => {
  it.each<[string, Attributes, string | null]>([
    ['a text', { email: 'alice@example.com' }, 'alice@example.com'],
    ['a number', { email: 4711 }, '4711'],
    ['zero', { email: 0 }, '0'],
    ['false', { email: false }, 'false'],
    ['spaces around it', { email: ' alice ' }, 'alice'],
    ['an empty text', { email: '' }, null],
    ['only spaces', { email: ' \t ' }, null],
    ['another attribute only', { phone: '1' }, null],
    ['another case', { Email: 'alice' }, null],
    ['none', {}, null],
  ])('from %s', (_, attributes, expected) => {
    expect(loginHint('email', attributes)).toBe(expected);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'is never found in what every object inherits: %s',
    (name) => {
      expect(loginHint(name, {})).toBeNull();
    },
  );
});

describe('the details of a request', () => {
  it('are none when the rule has none', () => {
    expect(requestedDetails({ authorizationDetails: null }, { amount: 1 })).toBeNull();
  });

  it('are those of the rule with the attributes in their strings (R129)', () => {
    const authorizationDetails = [{ type: 'payment', amount: '{{amount}}', to: [{ iban: '{{iban}}' }], urgent: true }];
    expect(requestedDetails({ authorizationDetails }, { amount: 25, iban: 'DE1' })).toEqual([
      { type: 'payment', amount: '25', to: [{ iban: 'DE1' }], urgent: true },
    ]);
  });
});
