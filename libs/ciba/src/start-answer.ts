import type { Answer } from './exchange.js';
import {
  isPrintable,
  isRedirect,
  readErrorCode,
  readIntervalSeconds,
  readProviderError,
  readRetryAfterSeconds,
  readSeconds,
  transientCodes,
} from './answer-fields.js';
import type { ProviderError, StartOutcome } from './outcomes.js';
import type { StartErrorMeaning } from './provider-profiles.js';
import type { JsonObject } from './strict-json.js';

const defaultIntervalSeconds = 5;
const maximumExpirySeconds = 30 * 86_400;
const maximumAuthReqIdBytes = 16 * 1024;

/** Codes that mean "nobody is asked" whatever the status says (CIBA Core 1.0 §13 and its extensions). */
const definiteCodes = new Set([
  'access_denied',
  'expired_login_hint_token',
  'invalid_authorization_details',
  'invalid_binding_message',
  'invalid_client',
  'invalid_request',
  'invalid_request_object',
  'invalid_scope',
  'invalid_target',
  'invalid_user_code',
  'missing_user_code',
  'unauthorized_client',
  'unknown_user_id',
]);

/**
 * Reads the answer to a start call (CIBA Core 1.0 §7.3, §13).
 *
 * The `error` member decides before the status does; a success has status 200 exactly and no `error`.
 */
export function readStartAnswer(answer: Answer, now: Date, meanings: readonly StartErrorMeaning[] = []): StartOutcome {
  const { status, body } = answer;
  if (isRedirect(status)) return { kind: 'provider-error', detail: `answered with redirect ${status}` };
  if (body?.has('error') && body.has('auth_req_id')) {
    return { kind: 'provider-error', detail: 'answered with an error and an auth_req_id' };
  }
  const code = readErrorCode(body);
  if (code !== null && isDefinite(code, status)) return refusal(readProviderError(code, body), meanings);
  if (status === 200 && body !== null && !body.has('error')) return readAcknowledgement(body);
  return readStatus(answer, now);
}

function refusal(error: ProviderError, meanings: readonly StartErrorMeaning[]): StartOutcome {
  const known = meanings.find(
    ({ code, description }) => code === error.code && description.test(error.description ?? ''),
  );
  return { kind: 'refused', error, ...(known !== undefined && { means: known.means }) };
}

/** An unknown code is final unless the status says that the provider is in trouble. */
function isDefinite(code: string, status: number): boolean {
  return definiteCodes.has(code) || (status < 500 && status !== 429 && !transientCodes.has(code));
}

function readAcknowledgement(body: JsonObject): StartOutcome {
  const authReqId = body.get('auth_req_id');
  if (!isAuthReqId(authReqId)) return { kind: 'provider-error', detail: 'acknowledged without a usable auth_req_id' };
  const expiresInSeconds = Math.floor(readSeconds(body.get('expires_in')) ?? 0);
  if (expiresInSeconds < 1) return { kind: 'provider-error', detail: 'acknowledged without a usable expires_in' };
  return {
    kind: 'acknowledged',
    authReqId,
    expiresInSeconds: Math.min(expiresInSeconds, maximumExpirySeconds),
    intervalSeconds: readIntervalSeconds(body.get('interval')) ?? defaultIntervalSeconds,
  };
}

function isAuthReqId(value: unknown): value is string {
  return typeof value === 'string' && Buffer.byteLength(value) <= maximumAuthReqIdBytes && isPrintable(value);
}

function readStatus({ status, retryAfter }: Answer, now: Date): StartOutcome {
  const retryAfterSeconds = readRetryAfterSeconds(retryAfter, now);
  if (status === 429 || (status === 503 && retryAfterSeconds !== null)) {
    return { kind: 'not-accepted', retryAfterSeconds, detail: `answered ${status}` };
  }
  if (status === 502 || status === 504) return { kind: 'unknown', detail: `a gateway answered ${status}` };
  return { kind: 'provider-error', detail: `answered ${status} and nothing that can be used` };
}
