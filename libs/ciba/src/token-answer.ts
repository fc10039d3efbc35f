import type { Answer } from './exchange.js';
import {
  isRedirect,
  readErrorCode,
  readErrorDescription,
  readIntervalSeconds,
  readProviderError,
  readRetryAfterSeconds,
  readSeconds,
  transientCodes,
} from './answer-fields.js';
import type { PollOutcome, TokenAnswer } from './outcomes.js';
import type { JsonObject } from './strict-json.js';

/** Codes that end the grant whatever the status says (RFC 6749 §5.2, CIBA Core 1.0 §11). */
const terminalCodes = new Set([
  'invalid_client',
  'invalid_request',
  'invalid_scope',
  'transaction_failed',
  'unauthorized_client',
  'unsupported_grant_type',
]);

/** A token that lives longer is treated as if it lived a year; what computes with times must not leave the calendar. */
const maximumLifetimeSeconds = 365 * 86_400;

/**
 * Reads the answer to a token call (CIBA Core 1.0 §10.1.1, §11).
 *
 * The `error` member decides before the status does; tokens count at status 200 exactly and beside no `error`. Whatever
 * cannot be understood is `lost`: the grant is single use, so it may be gone.
 */
export function readTokenAnswer(answer: Answer, now: Date): PollOutcome {
  const { status, body } = answer;
  if (body === null || isRedirect(status)) return readStatus(answer, now);
  if (body.has('error')) return carriesTokens(body) ? contradiction : readError(body, answer, now);
  if (status === 200 && carriesTokens(body)) return { kind: 'tokens', answer: readTokens(body) };
  return readStatus(answer, now);
}

const contradiction: PollOutcome = { kind: 'lost', detail: 'answered with an error and tokens' };

/** Whether a body carries any token. */
export function carriesTokens(body: JsonObject): boolean {
  return body.has('access_token') || body.has('id_token') || body.has('refresh_token');
}

function readError(body: JsonObject, answer: Answer, now: Date): PollOutcome {
  const code = readErrorCode(body);
  switch (code) {
    case 'authorization_pending':
      return { kind: 'pending', retryAfterSeconds: readRetryAfterSeconds(answer.retryAfter, now) };
    case 'slow_down':
      return {
        kind: 'slow-down',
        retryAfterSeconds: readRetryAfterSeconds(answer.retryAfter, now),
        intervalSeconds: readIntervalSeconds(body.get('interval')),
      };
    case 'access_denied':
      return { kind: 'denied', description: readErrorDescription(body) };
    case 'expired_token':
      return { kind: 'expired' };
    case 'invalid_grant':
      return { kind: 'invalid-grant', description: readErrorDescription(body) };
    case 'temporarily_unavailable':
      return postpone(answer, now);
    case null:
      return readStatus(answer, now);
    default:
      return isTerminal(code, answer.status)
        ? { kind: 'refused', error: readProviderError(code, body) }
        : readStatus(answer, now);
  }
}

/** An unknown code is final unless the status says that the provider is in trouble. */
function isTerminal(code: string, status: number): boolean {
  return terminalCodes.has(code) || (status < 500 && status !== 429 && !transientCodes.has(code));
}

/** The tokens that a body carries, as received. */
export function readTokens(body: JsonObject): TokenAnswer {
  return {
    accessToken: textOrNull(body.get('access_token')),
    tokenType: textOrNull(body.get('token_type')),
    expiresInSeconds: readLifetimeSeconds(body.get('expires_in')),
    scope: readScope(body),
    idToken: textOrNull(body.get('id_token')),
    refreshToken: textOrNull(body.get('refresh_token')),
    authorizationDetails: body.get('authorization_details') ?? null,
  };
}

/** Null when the provider does not say, or says nothing that makes sense. */
function readLifetimeSeconds(value: unknown): number | null {
  const seconds = readSeconds(value);
  return seconds === null || seconds < 0 ? null : Math.min(seconds, maximumLifetimeSeconds);
}

/** Only a missing scope means "as requested"; one that is not text grants nothing. */
function readScope(body: JsonObject): string | null {
  return body.has('scope') ? (textOrNull(body.get('scope')) ?? '') : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function readStatus(answer: Answer, now: Date): PollOutcome {
  const { status } = answer;
  if (status === 429 || status === 503) return postpone(answer, now);
  return { kind: 'lost', detail: `answered ${status} and nothing that can be used` };
}

function postpone({ status, retryAfter }: Answer, now: Date): PollOutcome {
  const retryAfterSeconds = readRetryAfterSeconds(retryAfter, now);
  if (retryAfterSeconds !== null) return { kind: 'throttled', retryAfterSeconds };
  return { kind: 'unavailable', detail: `answered ${status}` };
}
