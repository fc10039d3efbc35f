import { expect, it } from '@jest/globals';
import { relativeTime } from './relative-time.js';

const now = new Date('2026-03-01T12:00:00Z');
const ago = (seconds: number): string => relativeTime(new Date(now.getTime() - seconds * 1000), now);

it.each([
  [0, 'just now'],
  [-3, 'just now'],
  [5, '5 seconds ago'],
  [59, '59 seconds ago'],
  [60, '1 minute ago'],
  [3_599, '59 minutes ago'],
  [7_200, '2 hours ago'],
  [86_400, 'yesterday'],
  [-86_400, 'tomorrow'],
  [-30 * 60, 'in 30 minutes'],
  [14 * 86_400, '2 weeks ago'],
  [400 * 86_400, 'last year'],
])('says of an instant %s s ago: %s', (seconds, words) => {
  expect(ago(seconds)).toBe(words);
});
