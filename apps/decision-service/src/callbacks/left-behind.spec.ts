import { expect, it } from '@jest/globals';
import { mayHaveLeft } from './left-behind.js';

const claimed = (...targets: string[]) => targets.map((target) => ({ target }));

it.each([
  ['nothing was due', { limit: 200, exceptTargets: [], work: [] }, false],
  ['each target had one', { limit: 200, exceptTargets: [], work: claimed('a', 'b') }, false],
  ['the claim was used up', { limit: 2, exceptTargets: [], work: claimed('a', 'b') }, true],
  ['a target was left out', { limit: 200, exceptTargets: ['c'], work: claimed('a') }, true],
  // Many targets share a claim: each gets its part, and may have more.
  [
    'a target got its part of a shared claim',
    { limit: 200, exceptTargets: [], work: claimed('a', 'a', 'a', 'a', 'b') },
    true,
  ],
])('tells whether something may be left: %s', (_case, claim, expected) => {
  expect(mayHaveLeft(claim)).toBe(expected);
});
