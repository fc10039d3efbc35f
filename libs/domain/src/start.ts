/** What an answer to the start call means for the request (design §11, "Start call"). */

import type { Command, FailureReason, ProviderError } from './authorization-request.js';

/** What is tried again only after definite non-acceptance, and for how long altogether. */
export const startRetryWindowSeconds = 30;

/** How often a person may be asked about one request, when the rule allows asking again. */
export const maxPrompts = 2;

/** Error codes of a start call that say more than "rejected" (CIBA Core 1.0 §13). */
const failureByCode: Readonly<Record<string, FailureReason>> = {
  unknown_user_id: 'unknown_user',
  invalid_client: 'configuration_error',
  unauthorized_client: 'configuration_error',
};

/** The command that a definite protocol error of the start call leads to. */
export function refusedStart(attemptId: string, error: ProviderError, meaning: string = error.code): Command {
  if (meaning === 'access_denied') return { type: 'refuse-start', attemptId, providerError: error };
  const reason = Object.hasOwn(failureByCode, meaning) ? failureByCode[meaning]! : 'provider_rejected';
  return { type: 'fail-start', attemptId, reason, providerError: error };
}

/**
 * How long to wait before the next start call after definite non-acceptance, in ms; null when the window of 30 s since
 * the first attempt leaves no room for another.
 */
export function startRetryDelayMs(attempt: number, elapsedMs: number, retryAfterSeconds: number | null): number | null {
  const backOffMs = Math.min(500 * 2 ** (attempt - 1), 8000);
  const delayMs = Math.max(backOffMs, (retryAfterSeconds ?? 0) * 1000);
  return elapsedMs + delayMs <= startRetryWindowSeconds * 1000 ? delayMs : null;
}
