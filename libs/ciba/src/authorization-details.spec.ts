import { describe, expect, it } from '@jest/globals';
import { areDetailsGranted } from './authorization-details.js';

const payment = { type: 'payment', amount: { currency: 'EUR', value: '25.00' }, actions: ['initiate', 'cancel'] };
const account = { type: 'account', iban: 'DE1' };

describe('details that were granted as asked (R97)', () => {
  it.each<[string, unknown[], unknown]>([
    ['the same', [payment], [payment]],
    ['in another order', [payment, account], [account, payment]],
    ['with their members in another order', [account], [{ iban: 'DE1', type: 'account' }]],
    [
      'with members of members in another order',
      [payment],
      [{ ...payment, amount: { value: '25.00', currency: 'EUR' } }],
    ],
    ['with a set in another order', [payment], [{ ...payment, actions: ['cancel', 'initiate'] }]],
    ...['locations', 'actions', 'datatypes', 'privileges'].map((name): [string, unknown[], unknown] => [
      `with ${name} in another order`,
      [{ type: 'a', [name]: ['x', 'y'] }],
      [{ type: 'a', [name]: ['y', 'x'] }],
    ]),
    ['twice, as asked', [account, account], [account, account]],
    ['a number in another spelling', [{ type: 'a', n: 1 }], JSON.parse('[{"type":"a","n":1.0e0}]')],
  ])('%s', (_what, asked, granted) => {
    expect(areDetailsGranted(asked, granted)).toBe(true);
  });
});

describe('details that were not granted as asked (R97)', () => {
  it.each<[string, unknown[], unknown]>([
    ['null', [account], null],
    ['nothing', [account], undefined],
    ['an empty list', [account], []],
    ['no list', [account], account],
    ['text', [account], JSON.stringify([account])],
    ['one of two', [payment, account], [payment]],
    ['one of two, twice', [payment, account], [payment, payment]],
    ['one more', [account], [account, payment]],
    ['one more, behind', [payment], [payment, account]],
    ['null in the list', [account], [null]],
    ['text in place of a set', [payment], [{ ...payment, actions: 'initiate' }]],
    ['a member less', [account], [{ type: 'account' }]],
    ['a member more', [account], [{ ...account, currency: 'EUR' }]],
    ['a null member more', [account], [{ ...account, currency: null }]],
    ['another type', [account], [{ ...account, type: 'Account' }]],
    ['another value deep inside', [payment], [{ ...payment, amount: { currency: 'EUR', value: '2500' } }]],
    ['a number in place of text', [{ type: 'a', n: '1' }], [{ type: 'a', n: 1 }]],
    ['a set that is narrower', [payment], [{ ...payment, actions: ['initiate'] }]],
    ['a set that is wider', [payment], [{ ...payment, actions: ['initiate', 'cancel', 'x'] }]],
    ['a list that is no set in another order', [{ type: 'a', steps: [1, 2] }], [{ type: 'a', steps: [2, 1] }]],
    ['text that looks like a set’s values', [{ type: 'a', actions: ['1'] }], [{ type: 'a', actions: [1] }]],
    ['a number beyond all numbers', [{ type: 'a', n: null }], JSON.parse('[{"type":"a","n":1e400}]')],
    ['half a character', [{ type: 'a', n: '\ufffd' }], [{ type: 'a', n: '\ud800' }]],
    ['a list of lists', [account], [[account]]],
  ])('%s', (_what, asked, granted) => {
    expect(areDetailsGranted(asked, granted)).toBe(false);
  });
});
