import { nextDeliveryDelaySeconds } from '#lib/domain';
import type { DeliveryResult } from '#lib/persistence';

/** What came of sending one delivery. */
export interface Answer {
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  /** What went wrong, in words for the delivery log; null when it arrived. */
  readonly problem: string | null;
  /** What a 429 or 503 asked for; null when nothing was asked. */
  readonly retryAfterSeconds: number | null;
}

/** Reads an HTTP answer: 2xx is delivered, everything else a failure, a redirect too (it is never followed). */
export function readAnswer(status: number, retryAfter: string | undefined, now: Date): Answer {
  return {
    status,
    problem: problemOf(status),
    retryAfterSeconds: status === 429 || status === 503 ? retryAfterSeconds(retryAfter, now) : null,
  };
}

function problemOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
  return status === 410 ? 'answered 410: gone' : `answered ${status}`;
}

/** Retry-After in seconds, from its seconds or its date (RFC 9110 §10.2.3); null when it says neither. */
export function retryAfterSeconds(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  if (/^\d{1,15}$/.test(value.trim())) return Number(value);
  const at = /GMT$/.test(value.trim()) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

/**
 * What becomes of a delivery after an answer: done, tried again by the schedule, or given up.
 *
 * `failedAttempts` counts those before this one; `jitter` is a number in [0, 1).
 */
export function settle(answer: Answer, failedAttempts: number, jitter: number): DeliveryResult['outcome'] {
  if (answer.problem === null) return 'delivered';
  if (answer.status === 410) return 'gone';
  const delay = nextDeliveryDelaySeconds(failedAttempts + 1, jitter, answer.retryAfterSeconds);
  return delay === null ? 'exhausted' : { retryInSeconds: delay };
}
