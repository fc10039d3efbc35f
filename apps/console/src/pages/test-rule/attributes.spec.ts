import { expect, it } from '@jest/globals';
import { attributeOfPointer, attributesOf, namesOf } from './attributes.js';

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

it('finds the row that a mistake belongs to', () => {
  const rows = [{ name: ' a/b~c ', value: '' }];
  expect(attributeOfPointer(rows, '/attributes/a~1b~0c')).toBe('a/b~c');
  expect(attributeOfPointer(rows, '/attributes/email')).toBeNull();
  expect(attributeOfPointer(rows, '/rule')).toBeNull();
});
