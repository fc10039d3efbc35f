import { expect, it } from '@jest/globals';
import { GiveUp, Malformed } from './failures.js';
import { judge } from './verdict.js';

const delays = [1_000, 5_000];

it.each([
  [1, { kind: 'retry', delayMs: 1_000, reason: 'Error: no' }],
  [2, { kind: 'retry', delayMs: 5_000, reason: 'Error: no' }],
  [3, { kind: 'dead', reason: 'Error: no' }],
  [99, { kind: 'dead', reason: 'Error: no' }],
])('after failure number %i', (attempt, verdict) => {
  expect(judge(new Error('no'), attempt, delays)).toEqual(verdict);
});

it('tries nothing again that is in vain', () => {
  expect(judge(new GiveUp('unknown'), 1, delays)).toEqual({ kind: 'dead', reason: 'GiveUp: unknown' });
  expect(judge(new Malformed('not JSON'), 1, delays)).toEqual({ kind: 'dead', reason: 'Malformed: not JSON' });
});

it('cuts a reason to what a header may hold, whatever was thrown', () => {
  expect(judge('x'.repeat(10_000), 3, delays)).toEqual({ kind: 'dead', reason: 'x'.repeat(500) });
  expect(judge(undefined, 3, delays)).toEqual({ kind: 'dead', reason: 'undefined' });
});
