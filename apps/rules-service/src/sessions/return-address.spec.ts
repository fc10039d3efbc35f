import { expect, it } from '@jest/globals';
import { strangeReturnAddresses } from '../../../../test/support/session-attacks.js';
import { returnAddress, startPage } from './return-address.js';

it.each([
  '/console',
  '/console/overview',
  '/console/transactions/01890000-0000-7000-8000-00000000ffff',
  '/console/transactions?status=pending,approved&rule=Approve%20a%20payment&createdAfter=2026-01-01T00:00:00Z',
  '/console/access/rules#advanced',
])('comes back to %s', (address) => {
  expect(returnAddress(address)).toBe(address);
});

it('comes to the start page when none is named', () => {
  expect(returnAddress(undefined)).toBe(startPage);
});

it.each(strangeReturnAddresses)('never leads to %j', (address) => {
  expect(() => returnAddress(address)).toThrow('invalid_parameter');
});
