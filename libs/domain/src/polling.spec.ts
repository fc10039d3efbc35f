import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  backOffMs,
  defaultIntervalSeconds,
  earliestNextPollMs,
  fallbackSpacingMs,
  firstPollMs,
  lastPollMarginMs,
  nextPollMs,
  slowDownSeconds,
  slowedIntervalMs,
} from './polling.js';

describe('the interval', () => {
  it('is 5 s unless the provider says otherwise, and so is each slow_down (CIBA Core 1.0 §7.3, §11) (R42)', () => {
    expect(defaultIntervalSeconds).toBe(5);
    expect(slowDownSeconds).toBe(5);
  });

  it.each([
    ['no interval named', 5_000, null, 10_000],
    ['a smaller interval named', 5_000, 1, 10_000],
    ['a larger interval named', 5_000, 30, 30_000],
    ['the second time', 10_000, null, 15_000],
    ['nonsense named', 5_000, -3, 10_000],
  ])('after slow_down with %s', (_, intervalMs, intervalSeconds, expected) => {
    expect(slowedIntervalMs(intervalMs, { intervalSeconds })).toBe(expected);
  });
});

describe('the wait between polls while a ping is awaited (R79)', () => {
  it.each([
    ['a quarter of a long lifetime', 600_000, 5_000, 150_000],
    ['half a minute of a short one', 100_000, 5_000, 30_000],
    ['the interval when it is longer', 100_000, 45_000, 45_000],
  ])('is %s (R79)', (_, lifetimeMs, intervalMs, expected) => {
    expect(fallbackSpacingMs(lifetimeMs, intervalMs)).toBe(expected);
  });

  it('leaves the last poll before the deadline where it is (R79)', () => {
    expect(firstPollMs(0, fallbackSpacingMs(20_000, 5_000), 20_000)).toBe(20_000 - lastPollMarginMs);
    expect(firstPollMs(0, fallbackSpacingMs(120_000, 5_000), 120_000)).toBe(30_000);
  });
});

describe('the next poll after an answer', () => {
  it.each([
    ['a quick answer (R50)', 1_000, 1_050, 6_050],
    ['an answer just under the interval', 1_000, 5_999, 10_999],
    ['an answer that took the interval', 1_000, 6_000, 11_000],
    ['an answer that took longer', 1_000, 9_000, 14_000],
    ['an answer that took longer than any way', 1_000, 12_000, 16_000],
    ['a long poll', 1_000, 31_000, 31_000],
  ])('%s', (_, sentAtMs, answeredAtMs, expected) => {
    expect(earliestNextPollMs(sentAtMs, answeredAtMs, 5_000)).toBe(expected);
  });

  it('is not early by the clock of a provider that the one before took long to reach (R50)', () => {
    const ms = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 1, max: 60_000 }), (wayMs, heldMs, intervalMs) => {
        const arrivedAtMs = Math.min(wayMs, Math.max(10_000, intervalMs));
        const nextMs = earliestNextPollMs(0, arrivedAtMs + heldMs, intervalMs);
        expect(nextMs - arrivedAtMs).toBeGreaterThanOrEqual(intervalMs);
      }),
    );
  });
});

describe('polling towards the deadline', () => {
  const interval = 5_000;

  it.each([
    ['far from the deadline', 10_000, 60_000, 10_000],
    ['with room for exactly one more', 10_000, 10_000 + interval + lastPollMarginMs, 10_000],
    ['with no room for another: moved to the end', 10_000, 15_000, 15_000 - lastPollMarginMs],
    ['exactly the last moment', 10_000, 10_000 + lastPollMarginMs, 10_000],
    ['within the margin: at once', 10_000, 11_000, 10_000],
    ['at the deadline', 10_000, 10_000, null],
    ['after the deadline', 10_000, 9_000, null],
  ])('%s', (_, earliestMs, deadlineMs, expected) => {
    expect(nextPollMs(earliestMs, interval, deadlineMs)).toBe(expected);
  });

  it('never polls earlier than allowed, nor at or after the deadline', () => {
    const time = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(time, fc.integer({ min: 1, max: 600_000 }), time, (earliest, intervalMs, deadline) => {
        const next = nextPollMs(earliest, intervalMs, deadline);
        if (next === null) expect(earliest).toBeGreaterThanOrEqual(deadline);
        else {
          expect(next).toBeGreaterThanOrEqual(earliest);
          expect(next).toBeLessThan(deadline);
        }
      }),
    );
  });

  it('keeps the interval between polls and always ends with one in the last margin', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 60_000 }),
        fc.integer({ min: 5_000, max: 600_000 }),
        (step, deadline) => {
          const polls: number[] = [];
          let next: number | null = firstPollMs(0, step, deadline);
          while (next !== null) {
            polls.push(next);
            next = nextPollMs(next + step, step, deadline);
          }
          for (let i = 1; i < polls.length; i += 1) expect(polls[i]! - polls[i - 1]!).toBeGreaterThanOrEqual(step);
          expect(polls.at(-1)).toBeGreaterThanOrEqual(deadline - lastPollMarginMs);
          expect(polls.at(-1)).toBeLessThan(deadline);
        },
      ),
    );
  });
});

describe('the first poll', () => {
  it.each([
    ['one interval after the acknowledgement (R51)', 0, 5_000, 120_000, 5_000],
    ['just before a deadline that is nearer than an interval', 0, 5_000, 4_000, 2_500],
    ['just before a deadline of one interval', 0, 5_000, 5_000, 3_500],
    ['at once when hardly any time was given', 0, 5_000, 1_000, 0],
    ['at once when the deadline has passed', 10_000, 5_000, 9_000, 10_000],
  ])('%s', (_, acknowledgedAtMs, intervalMs, deadlineMs, expected) => {
    expect(firstPollMs(acknowledgedAtMs, intervalMs, deadlineMs)).toBe(expected);
  });
});

describe('the first poll of what somebody else may have polled', () => {
  it.each([
    ['an interval from now', 0, 5_000, 120_000, 5_000, 5_000],
    ['an interval from now, although that is in the last margin', 0, 5_000, 5_500, 5_000, 5_000],
    ['never before the deadline, when that is nearer than an interval (R67)', 0, 5_000, 4_000, 5_000, 5_000],
    ['just before the deadline, when the interval has passed by then', 0, 30_000, 20_000, 5_000, 18_500],
  ])('%s', (_, nowMs, spacingMs, deadlineMs, notBeforeMs, expected) => {
    expect(firstPollMs(nowMs, spacingMs, deadlineMs, notBeforeMs)).toBe(expected);
  });
});

describe('backing off', () => {
  it.each([
    [5_000, 0, 5_000],
    [5_000, 1, 5_000],
    [5_000, 2, 10_000],
    [5_000, 3, 20_000],
    [5_000, 5, 60_000],
    [5_000, 2_000, 60_000],
    [90_000, 1, 90_000],
    [90_000, 4, 90_000],
  ])('from %i ms after %i failures: %i ms', (intervalMs, failures, expected) => {
    expect(backOffMs(intervalMs, failures)).toBe(expected);
  });
});
