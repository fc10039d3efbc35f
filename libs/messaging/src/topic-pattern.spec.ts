import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { topicMatches } from './topic-pattern.js';

it.each([
  ['a.b', 'a.b', true],
  ['a.b', 'a', false],
  ['a', 'a.b', false],
  ['a.*', 'a.b', true],
  ['a.*', 'a', false],
  ['a.*', 'a.b.c', false],
  ['a.#', 'a', true],
  ['a.#', 'a.b.c', true],
  ['#', 'a.b', true],
  ['#.b', 'b', true],
  ['#.b', 'a.a.b', true],
  ['#.b', 'a.b.a', false],
  ['a.#.b', 'a.b', true],
  ['a.#.b', 'a.c.c.b', true],
  ['a.*.#', 'a', false],
  ['#.#', 'a', true],
])('%s and %s: %s', (pattern, key, expected) => {
  expect(topicMatches(pattern, key)).toBe(expected);
});

it('agrees with a regular expression that says the same', () => {
  const words = (alphabet: string[], minLength: number) =>
    fc.array(fc.constantFrom(...alphabet), { minLength, maxLength: 5 });
  fc.assert(
    fc.property(words(['a', 'b', '*', '#'], 1), words(['a', 'b'], 1), (pattern, key) => {
      // Each word carries the dot before it, so that `#` may stand for nothing.
      const parts = pattern.map((word) => ({ '*': '\\.\\w+', '#': '(\\.\\w+)*' })[word] ?? `\\.${word}`);
      const expected = new RegExp(`^${parts.join('')}$`).test(`.${key.join('.')}`);
      expect(topicMatches(pattern.join('.'), key.join('.'))).toBe(expected);
    }),
  );
});
