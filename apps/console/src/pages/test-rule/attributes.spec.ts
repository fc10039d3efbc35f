import { expect, it } from '@jest/globals';
import { attributesOf, namesOf } from './attributes.js';

it('begins with the hint, and knows the attributes in every template', () => {
  const names = namesOf({
    loginHintAttribute: 'email',
    bindingMessage: 'Pay {{amount}} to {{payee}}, {{email}}',
    authorizationDetails: [{ type: 'payment', to: '{{iban}}' }],
    extraParameters: { audience: '{{shop}}' },
  });
  expect(names).toEqual(['email', 'amount', 'payee', 'iban', 'shop']);
});

it('sends no attribute without a name', () => {
  expect(
    attributesOf([
      { name: ' email ', value: 'a' },
      { name: ' ', value: 'b' },
    ]),
  ).toEqual({ email: 'a' });
});
