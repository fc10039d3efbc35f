import { isPrintable, readErrorCode, readErrorDescription, readProviderError } from './answer-fields.js';
import type { ProviderError, TokenAnswer } from './outcomes.js';
import { parseJsonObject, type JsonObject } from './strict-json.js';
import { carriesTokens, readTokens } from './token-answer.js';

/** What a provider tells of its own accord; members that nobody knows are in it and are not looked at. */
export interface ProviderNotification {
  readonly authReqId: string;
  readonly body: JsonObject;
}

/** The result that a provider pushed (CIBA Core 1.0 §10.3.1, §12). Tokens are not verified yet. */
export type PushedAnswer =
  | { readonly kind: 'tokens'; readonly answer: TokenAnswer }
  | { readonly kind: 'denied'; readonly error: ProviderError }
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly error: ProviderError };

/** As long as an `auth_req_id` of a start answer may be. */
const maximumIdLength = 16_384;

/**
 * Reads the body of a ping or push; null when it is not a JSON object that can be read in one way only, or names no
 * request (CIBA Core 1.0 §10.2).
 */
export function readNotification(text: string): ProviderNotification | null {
  const body = parseJsonObject(text);
  const authReqId = body?.get('auth_req_id');
  if (body === null || typeof authReqId !== 'string') return null;
  if (authReqId === '' || authReqId.length > maximumIdLength || !isPrintable(authReqId)) return null;
  return { authReqId, body };
}

/** Reads what was pushed; null when it is no result, or says two things at once. */
export function readPushedAnswer({ body }: ProviderNotification): PushedAnswer | null {
  if (!body.has('error')) return carriesTokens(body) ? { kind: 'tokens', answer: readTokens(body) } : null;
  const code = readErrorCode(body);
  if (code === null || carriesTokens(body)) return null;
  switch (code) {
    case 'access_denied':
      return { kind: 'denied', error: { code, description: readErrorDescription(body) } };
    case 'expired_token':
      return { kind: 'expired' };
    default:
      return { kind: 'failed', error: readProviderError(code, body) };
  }
}
