/** What an answer to the start call means for the request (design §11, "Start call"). */

import type { Command, FailureReason, ProviderError } from './authorization-request.js';
import { strictBindingMessage } from './binding-message.js';

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

/** Codes that speak of the client and not of the request: whatever it asks next will be refused as well. */
const clientCodes: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client']);

/**
 * Codes that speak of the request. A provider looks at it when it has authenticated the client (CIBA Core 1.0 §7.2, §11;
 * RFC 6749 §3.2.1); what other codes say may be the word of something in front of it.
 */
const requestCodes: ReadonlySet<string> = new Set([
  'access_denied',
  'expired_login_hint_token',
  'invalid_authorization_details',
  'invalid_binding_message',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'invalid_user_code',
  'missing_user_code',
  'transaction_failed',
  'unknown_user_id',
]);

/** Whether an error code refuses the client as such (RFC 6749 §5.2, CIBA Core 1.0 §13). */
export const refusesClient = (code: string): boolean => clientCodes.has(code);

/** Whether an error code shows that the client itself was accepted. */
export const acceptsClient = (code: string): boolean => requestCodes.has(code);

/** However a provider says it, and whatever it adds: callers learn no more than that the person cannot be asked. */
const unknownUser: ProviderError = { code: 'unknown_user_id', description: null };

/** What a refused start call is repeated without, or with; null: it stays refused. Nobody was asked. */
export type StartAdjustment =
  { readonly kind: 'without-expiry' } | { readonly kind: 'other-text'; readonly bindingMessage: string };

/**
 * What to change before a refused start call is made once more (CIBA Core 1.0 §13).
 *
 * Each change leaves less to refuse, so that it is made once at most.
 */
export function adjustStart(
  meaning: string,
  asked: { readonly requestedExpirySeconds: number | null; readonly bindingMessage: string | null },
  provider: { readonly refusesExpiry: boolean },
): StartAdjustment | null {
  if (meaning === 'invalid_request' && provider.refusesExpiry && asked.requestedExpirySeconds !== null) {
    return { kind: 'without-expiry' };
  }
  const text = meaning === 'invalid_binding_message' ? strictBindingMessage(asked.bindingMessage ?? '') : null;
  return text === null ? null : { kind: 'other-text', bindingMessage: text };
}

/** The command that a definite protocol error of the start call leads to. */
export function refusedStart(attemptId: string, error: ProviderError, meaning: string = error.code): Command {
  if (meaning === 'access_denied') return { type: 'refuse-start', attemptId, providerError: error };
  const reason = Object.hasOwn(failureByCode, meaning) ? failureByCode[meaning]! : 'provider_rejected';
  return { type: 'fail-start', attemptId, reason, providerError: reason === 'unknown_user' ? unknownUser : error };
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
