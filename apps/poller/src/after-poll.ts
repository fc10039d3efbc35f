/** What follows from the answer to a poll, and from the deadline: two pure functions, one table. */

import type { PollOutcome, TokenAnswer } from '#lib/ciba';
import {
  backOffMs,
  earliestNextPollMs,
  nextPollMs,
  refusesClient,
  slowedIntervalMs,
  type Command,
  type FailureReason,
  type Fence,
  type ProviderError,
} from '#lib/domain';

/** What a request that is being polled looks like; moments are ms on the monotonic clock. */
export interface Polled {
  /** Grows with each `slow_down`, and never shrinks. */
  readonly intervalMs: number;
  /** The wait until the next poll: the interval, stretched by the provider's rate and by jitter, never shortened. */
  readonly spacingMs: number;
  readonly deadlineMs: number;
  /** When the poll was sent. */
  readonly sentAtMs: number;
  /** An answer that may have carried tokens was lost, and no later one has told how the request stands. */
  readonly doubt: boolean;
  /**
   * A poll of ours was given up. It may reach the provider late, after polls that came later were answered, and carry
   * the tokens to nobody; so no later answer ends this.
   */
  readonly lost: boolean;
  /** An owner before us ended without releasing the request: it may have lost an answer that we know nothing of. */
  readonly takenOver: boolean;
  /** The deadline has passed and this was the one poll that may still be made. */
  readonly resolving: boolean;
  /** Nobody was asked when its turn came: the provider refuses the client. */
  readonly barred: boolean;
  /** Polls in a row without a usable answer. */
  readonly failures: number;
  readonly polls: number;
  /** Our right to ask, as it was when the poll was sent. */
  readonly fence: Fence;
}

/** What is remembered from one poll to the next. */
export type Rhythm = Pick<Polled, 'intervalMs' | 'doubt' | 'lost' | 'failures' | 'barred'>;

/** How a poll ended, or that it was not made because the provider refuses the client. */
export type PollAnswer = PollOutcome | { readonly kind: 'client-refused'; readonly pausedForMs: number };

/** What is done next about a request. */
export type Step =
  /** At that moment: poll, or let the deadline decide if it has come by then. */
  | { readonly kind: 'wait'; readonly rhythm: Rhythm; readonly atMs: number }
  | { readonly kind: 'verify'; readonly answer: TokenAnswer }
  | { readonly kind: 'conclude'; readonly command: Command };

/** How long after the deadline the resolution poll of a request may wait for its turn, in ms. */
export const resolutionWindowMs = 15_000;

/** A request whose client is refused is looked at again after this at the latest, or after its spacing, in ms. */
const longestLookAwayMs = 5_000;

/** Decides what the answer to a poll means (CIBA Core 1.0 §11; design §4, §5). */
export function afterPoll(item: Polled, outcome: PollAnswer, nowMs: number): Step {
  switch (outcome.kind) {
    case 'pending': {
      const earliestMs = earliestNextPollMs(item.sentAtMs, nowMs, item.spacingMs);
      return goOn(item, nowMs, calm(item, item.intervalMs), laterOf(earliestMs, nowMs, outcome.retryAfterSeconds));
    }
    case 'slow-down': {
      const intervalMs = slowedIntervalMs(item.intervalMs, outcome);
      const spacingMs = item.spacingMs + intervalMs - item.intervalMs;
      const earliestMs = laterOf(nowMs + spacingMs, nowMs, outcome.retryAfterSeconds);
      return goOn({ ...item, spacingMs }, nowMs, calm(item, intervalMs), earliestMs);
    }
    case 'tokens':
      return { kind: 'verify', answer: outcome.answer };
    case 'denied':
      if (outcome.orExpired && nowMs >= item.deadlineMs) {
        return conclude({ type: 'provider-expired', fence: item.fence, polls: item.polls });
      }
      return conclude({ type: 'deny', providerError: described('access_denied', outcome), polls: item.polls });
    case 'expired':
      return conclude({ type: 'provider-expired', fence: item.fence, polls: item.polls });
    case 'invalid-grant':
      return afterInvalidGrant(item, described('invalid_grant', outcome), nowMs);
    case 'refused':
      return fail(item, reasonOfRefusal(item, outcome.error.code), outcome.error, item.fence);
    case 'not-sent':
    case 'unavailable':
      return tryAgain(item, nowMs, null);
    case 'throttled':
      return tryAgain(item, nowMs, outcome.retryAfterSeconds);
    case 'lost':
      return tryAgain({ ...item, doubt: true, lost: true }, nowMs, null);
    case 'client-refused':
      return afterRefusedClient(item, outcome.pausedForMs, nowMs);
  }
}

/** Decides what the deadline means for a request that is not being polled just then. */
export function atDeadline(item: Omit<Polled, 'spacingMs' | 'sentAtMs'>): Step | { readonly kind: 'resolve' } {
  // Whether the person approved cannot be known any more, and what is unknown is neither approved nor expired.
  if (item.doubt || item.resolving) return fail(item, 'outcome_unknown', null, item.fence);
  // Whether the person answered could not be asked, for a reason that somebody has to mend.
  if (item.barred) return fail(item, mayBeUsedUp(item) ? 'outcome_unknown' : 'configuration_error', null, item.fence);
  // The grant is single use: a poll that we gave up, or an owner before us that died, may have redeemed it. One more
  // answer tells.
  if (mayBeUsedUp(item)) return { kind: 'resolve' };
  return conclude({ type: 'expire', fence: item.fence, polls: item.polls });
}

/** Still undecided, and the answer says so: whatever was lost before, the grant has not been used up. */
function goOn(item: Polled, nowMs: number, rhythm: Rhythm, earliestMs: number): Step {
  if (item.resolving) return conclude({ type: 'expire', fence: item.fence, polls: item.polls });
  return wait(item, rhythm, earliestMs, nowMs);
}

/** No answer, or none about the request. */
function tryAgain(item: Polled, nowMs: number, retryAfterSeconds: number | null): Step {
  if (item.resolving) return fail(item, 'outcome_unknown', null, item.fence);
  const failures = item.failures + 1;
  const earliestMs = laterOf(nowMs + backOffMs(item.spacingMs, failures), nowMs, retryAfterSeconds);
  const { intervalMs, doubt, lost } = item;
  return wait(item, { intervalMs, doubt, lost, failures, barred: false }, earliestMs, nowMs);
}

/** Looked at again often enough to go on soon after somebody has mended the client; while it is paused that costs nothing. */
function afterRefusedClient(item: Polled, pausedForMs: number, nowMs: number): Step {
  if (item.resolving) return fail(item, 'outcome_unknown', null, item.fence);
  const { intervalMs, doubt, lost, failures } = item;
  const lookAwayMs = Math.max(Math.min(pausedForMs, longestLookAwayMs), item.spacingMs);
  const atMs = Math.min(nowMs + lookAwayMs, item.deadlineMs);
  return { kind: 'wait', rhythm: { intervalMs, doubt, lost, failures, barred: true }, atMs };
}

function wait(item: Polled, rhythm: Rhythm, earliestMs: number, nowMs: number): Step {
  const nextMs = nowMs < item.deadlineMs ? nextPollMs(earliestMs, item.spacingMs, item.deadlineMs) : null;
  return { kind: 'wait', rhythm, atMs: nextMs ?? decisionMs({ ...item, ...rhythm }, earliestMs, nowMs) };
}

/**
 * When the deadline decides. A resolution poll after it keeps the interval, however long that is; what a provider asks for
 * beyond that it gets within the window.
 */
function decisionMs(item: Polled, earliestMs: number, nowMs: number): number {
  // In doubt there is nothing to wait for: no poll follows the deadline.
  if (item.doubt || !mayBeUsedUp(item)) return item.deadlineMs;
  const latestMs = Math.max(item.deadlineMs + resolutionWindowMs, nowMs + item.spacingMs);
  return Math.max(item.deadlineMs, Math.min(earliestMs, latestMs));
}

/**
 * `invalid_grant` says that the grant is gone, not why (RFC 6749 §5.2): used up by an answer that never reached us, or
 * forgotten after its time, or never known.
 */
function afterInvalidGrant(item: Polled, error: ProviderError, nowMs: number): Step {
  if (item.doubt || mayBeUsedUp(item)) return fail(item, 'outcome_unknown', error, item.fence);
  if (nowMs >= item.deadlineMs) {
    return conclude({ type: 'provider-expired', fence: item.fence, polls: item.polls });
  }
  return fail(item, 'provider_error', error, item.fence);
}

/** Some providers answer `invalid_request` to whoever asks for a grant that is used up: then it tells nothing. */
function reasonOfRefusal(item: Polled, code: string): FailureReason {
  if (refusesClient(code)) return 'configuration_error';
  return item.doubt || mayBeUsedUp(item) ? 'outcome_unknown' : 'provider_rejected';
}

const calm = ({ lost }: Polled, intervalMs: number): Rhythm => ({
  intervalMs,
  doubt: false,
  lost,
  failures: 0,
  barred: false,
});

/** Whether an answer that reached nobody may have used the grant up. */
const mayBeUsedUp = ({ lost, takenOver }: Pick<Polled, 'lost' | 'takenOver'>): boolean => lost || takenOver;

const laterOf = (earliestMs: number, nowMs: number, retryAfterSeconds: number | null): number =>
  Math.max(earliestMs, nowMs + (retryAfterSeconds ?? 0) * 1000);

const conclude = (command: Command): Step => ({ kind: 'conclude', command });

const fail = (
  item: Pick<Polled, 'polls'>,
  reason: FailureReason,
  providerError: ProviderError | null,
  fence: Fence | null,
): Step => conclude({ type: 'fail', reason, providerError, fence, polls: item.polls });

const described = (code: string, answer: { readonly description: string | null }): ProviderError => ({
  code,
  description: answer.description,
});
