import { expect, it } from '@jest/globals';
import { nameOf, placeOf } from './place-of.js';

const id = '019a7c3e-5b1f-7d20-9c84-2f6d1e0a77b3';

it.each([
  [{ type: 'rule', id, name: 'Pay' }, 'Pay', `/access/rules/${id}`],
  [{ type: 'authorization-request', id, name: null }, 'Transaction 0a77b3', `/transactions/${id}`],
  [{ type: 'signing-key', id, name: null }, 'Signing key 0a77b3', null],
  [{ type: 'configuration', id: null, name: null }, 'Configuration', null],
])('%j is called "%s"', (resource, name, place) => {
  expect([nameOf(resource), placeOf(resource)]).toEqual([name, place]);
});
