import { describe, expect, it } from '@jest/globals';
import { clockAheadMs, type ClockSample } from './clock-difference.js';

const noon = Date.parse('2026-03-02T12:00:00.000Z');
const sample = (dateMs: number, sentMs: number, receivedMs: number): ClockSample => ({
  date: new Date(noon + dateMs).toUTCString(),
  sentAt: new Date(noon + sentMs),
  receivedAt: new Date(noon + receivedMs),
});

describe('the difference of two clocks', () => {
  it.each<[string, ClockSample[], number | null]>([
    ['is unknown without a sample', [], null],
    ['is unknown when the date is none', [{ ...sample(0, 0, 0), date: 'soon' }], null],
    ['is nothing within the second that was cut off', [sample(0, 900, 950)], 0],
    ['is nothing that a slow answer explains', [sample(4_000, 0, 7_000)], 0],
    ['counts from our end when theirs is ahead', [sample(90_000, 0, 500)], 89_500],
    ['counts from our beginning when theirs is behind', [sample(-90_000, 200, 500)], -89_200],
    ['is the smallest of several', [sample(90_000, 0, 500), sample(3_000, 0, 500)], 2_500],
  ])('%s', (_, samples, expected) => {
    expect(clockAheadMs(samples)).toBe(expected);
  });
});
