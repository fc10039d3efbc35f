/** When a delivery is tried again: the schedule spans three days, each step stretched by up to a fifth. */

const minute = 60;
const hour = 60 * minute;

/** Seconds to wait after the n-th failed attempt; the first attempt goes at once. */
export const deliveryDelaysSeconds = [
  5,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
] as const;

/** A receiver may put the next attempt off this long; what it names beyond would lose the decision unnoticed. */
export const longestRetryAfterSeconds = 24 * hour;

/**
 * Seconds until the next attempt after `failedAttempts` failures (1 or more), or null when the schedule is exhausted.
 * `jitter` is a number in [0, 1); it only ever lengthens the wait. A longer `Retry-After` wins, up to a day.
 */
export function nextDeliveryDelaySeconds(
  failedAttempts: number,
  jitter: number,
  retryAfterSeconds: number | null,
): number | null {
  const step = deliveryDelaysSeconds[failedAttempts - 1];
  if (step === undefined) return null;
  // The first retry keeps its promised five seconds; spreading matters for the long waits.
  const stretched = failedAttempts === 1 ? step : step * (1 + 0.2 * jitter);
  return Math.max(stretched, Math.min(retryAfterSeconds ?? 0, longestRetryAfterSeconds));
}
