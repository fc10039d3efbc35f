/**
 * The arithmetic of polling (CIBA Core 1.0 §7.3, §10.1, §11). Times are milliseconds on one monotonic clock that the
 * caller chooses; intervals are never lowered.
 */

/** CIBA Core 1.0 §7.3: the interval when the provider names none. */
export const defaultIntervalSeconds = 5;

/** CIBA Core 1.0 §11: what `slow_down` adds, for this and all later polls. */
export const slowDownSeconds = 5;

/** CIBA Core 1.0 §7.3 names no lifetime for an acknowledgement that was lost; what a ping rescued lives so long. */
export const defaultExpirySeconds = 120;

/** The shortest wait between two polls of a request whose provider is going to ping, in ms. */
const shortestFallbackMs = 30_000;

/** The last regular poll is made this long before the deadline, so that its answer can still count. */
export const lastPollMarginMs = 1500;

/** A poll may need so long to reach the provider, or an interval when that is longer, in ms. */
const longestWayMs = 10_000;

/**
 * When an answer came, the next poll may go an interval after it: the provider, whose clock counts, may have received the
 * question as late as that. Only an answer that was held for longer than any way takes is followed sooner, at once when
 * an interval has passed since the question can have arrived.
 */
export function earliestNextPollMs(sentAtMs: number, answeredAtMs: number, intervalMs: number): number {
  const arrivedByMs = sentAtMs + Math.max(longestWayMs, intervalMs);
  return Math.max(answeredAtMs, Math.min(answeredAtMs, arrivedByMs) + intervalMs);
}

/** The interval after a `slow_down`: at least 5 s more, and at least what the provider named. */
export function slowedIntervalMs(intervalMs: number, named: { intervalSeconds: number | null }): number {
  return Math.max(intervalMs + slowDownSeconds * 1000, (named.intervalSeconds ?? 0) * 1000);
}

/**
 * When to poll next, given the earliest allowed moment; null when no regular poll fits before the deadline.
 *
 * The last regular poll is delayed towards the deadline rather than an early one added: a poll after which no other
 * would fit is moved to just before the deadline.
 */
export function nextPollMs(earliestMs: number, intervalMs: number, deadlineMs: number): number | null {
  const lastMs = deadlineMs - lastPollMarginMs;
  if (earliestMs > lastMs) return earliestMs < deadlineMs ? earliestMs : null;
  return earliestMs + intervalMs > lastMs ? lastMs : earliestMs;
}

/**
 * When to poll first: one interval from now, or just before the deadline when there is less time than one interval:
 * without that poll no approval could ever be seen.
 *
 * @param notBeforeMs the earliest moment for the latter, where somebody else may have polled before; it may be after the
 *   deadline, which decides then.
 */
export function firstPollMs(nowMs: number, intervalMs: number, deadlineMs: number, notBeforeMs = nowMs): number {
  const regular = nextPollMs(nowMs + intervalMs, intervalMs, deadlineMs);
  return regular ?? Math.max(notBeforeMs, deadlineMs - lastPollMarginMs);
}

/**
 * How long to wait between two polls while no ping has come: pings are not repeated and may get lost, so a few polls
 * are made all the same, a quarter of the lifetime apart, and no closer than half a minute or the interval.
 */
export function fallbackSpacingMs(lifetimeMs: number, intervalMs: number): number {
  return Math.max(lifetimeMs / 4, shortestFallbackMs, intervalMs);
}

/** How long to wait after an unanswered or failed poll: exponential from the interval, capped, never below it. */
export function backOffMs(intervalMs: number, failuresInARow: number): number {
  return Math.max(intervalMs, Math.min(intervalMs * 2 ** Math.max(0, failuresInARow - 1), 60_000));
}
