import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deliveryDelaysSeconds, longestRetryAfterSeconds, nextDeliveryDelaySeconds } from './retry.js';

describe('the retry schedule of deliveries', () => {
  it.each(deliveryDelaysSeconds.map((seconds, index) => [index + 1, seconds] as const))(
    'waits after failure %i at least %i s, and at most a fifth longer',
    (failures, seconds) => {
      expect(nextDeliveryDelaySeconds(failures, 0, null)).toBe(seconds);
      expect(nextDeliveryDelaySeconds(failures, 0.999, null)).toBeLessThan(seconds * 1.2);
      expect(nextDeliveryDelaySeconds(failures, 0.999, null)).toBeGreaterThanOrEqual(seconds);
    },
  );

  it('keeps the first retry at five seconds whatever the jitter', () => {
    expect(nextDeliveryDelaySeconds(1, 0.999, null)).toBe(5);
  });

  it('spans three days', () => {
    const total = deliveryDelaysSeconds.reduce((sum, delay) => sum + delay, 0);

    expect(total).toBeGreaterThan(72 * 3600);
    expect([...deliveryDelaysSeconds]).toEqual([...deliveryDelaysSeconds].sort((a, b) => a - b));
  });

  it('is exhausted after the last step, also when the receiver asks for later', () => {
    const all = deliveryDelaysSeconds.length;

    expect(nextDeliveryDelaySeconds(all, 0, null)).not.toBeNull();
    expect(nextDeliveryDelaySeconds(all + 1, 0, null)).toBeNull();
    expect(nextDeliveryDelaySeconds(all + 1, 0, 60)).toBeNull();
  });

  it.each([
    ['a longer Retry-After wins', 1, 60, 60],
    ['a shorter one does not', 2, 60, 300],
    ['zero changes nothing', 1, 0, 5],
    ['one beyond a day is held to a day', 1, 10 ** 12, longestRetryAfterSeconds],
  ])('%s', (_, failures, retryAfter, expected) => {
    expect(nextDeliveryDelaySeconds(failures, 0, retryAfter)).toBe(expected);
  });

  it('never waits less than the schedule says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: deliveryDelaysSeconds.length }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.integer({ min: -10, max: 10 ** 9 })),
        (failures, jitter, retryAfter) => {
          const wait = nextDeliveryDelaySeconds(failures, jitter, retryAfter)!;
          expect(wait).toBeGreaterThanOrEqual(deliveryDelaysSeconds[failures - 1]!);
          expect(wait).toBeLessThanOrEqual(longestRetryAfterSeconds * 1.2);
        },
      ),
    );
  });
});
