import { expect, it } from '@jest/globals';
import { formatAmount, priceOf } from './shop-catalogue.js';

it('adds up its own prices', () => {
  const lines = [
    { sku: 'pour-over-kettle', quantity: 1 },
    { sku: 'house-blend', quantity: 2 },
  ];
  expect(formatAmount(priceOf(lines)!)).toBe('88.50 EUR');
});

it.each([
  ['an empty basket', []],
  ['nothing of something', [{ sku: 'house-blend', quantity: 0 }]],
  ['less than nothing', [{ sku: 'house-blend', quantity: -1 }]],
  ['a part of something', [{ sku: 'house-blend', quantity: 0.5 }]],
  ['more than it has', [{ sku: 'house-blend', quantity: 10 }]],
  ['what it does not sell', [{ sku: 'yacht', quantity: 1 }]],
])('has no price for %s', (_what, lines) => {
  expect(priceOf(lines)).toBeNull();
});
