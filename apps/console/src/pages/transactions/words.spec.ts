import { expect, it } from '@jest/globals';
import { entryTitle, lengthOfTime, reasonWords } from './words.js';

it.each([
  [0, '0 ms'],
  [412, '412 ms'],
  [1_249, '1.2 s'],
  [2_000, '2 s'],
  [12_400, '12 s'],
  [60_000, '1 min'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
])('%d ms is %s', (ms, words) => {
  expect(lengthOfTime(ms)).toBe(words);
});

it('has words for what a later version may tell', () => {
  expect(entryTitle('late_approval')).toBe('Late approval');
  expect(reasonWords('some_new_reason')).toBe('some new reason');
});
