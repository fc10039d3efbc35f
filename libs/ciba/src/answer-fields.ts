import type { ProviderError } from './outcomes.js';
import type { JsonObject } from './strict-json.js';

const maximumErrorLength = 200;
const oneDaySeconds = 86_400;
// Control, format, surrogate and private characters, and the two line separators: none of them prints.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** Codes for the provider's own trouble: beside them the status says more than the code. */
export const transientCodes: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

/** Whether the status sends us elsewhere, where we never go. */
export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** Whether the text consists of printable characters only, with at least one that is not a space. */
export function isPrintable(text: string): boolean {
  return text.trim() !== '' && text.search(unprintable) === -1;
}

/** Reads seconds sent as a number or as a string of digits; null for everything else, NaN and infinity included. */
export function readSeconds(value: unknown): number | null {
  if (typeof value === 'string') return /^\d{1,15}(\.\d{1,9})?$/.test(value) ? Number(value) : null;
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Reads a polling interval, rounded up to whole seconds; null when it is missing, not positive or unreadable. */
export function readIntervalSeconds(value: unknown): number | null {
  const seconds = readSeconds(value);
  return seconds === null || seconds <= 0 ? null : Math.min(Math.ceil(seconds), oneDaySeconds);
}

/** Reads a Retry-After header, seconds or a date (RFC 9110 §10.2.3); null when missing or unreadable; a day at most. */
export function readRetryAfterSeconds(header: string | null, now: Date): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Math.min(Number(header), oneDaySeconds);
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(header)) return null;
  const waitMs = Date.parse(header) - now.getTime();
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(Math.ceil(waitMs / 1000), 0), oneDaySeconds);
}

/** The `error` member when it is text, else null. */
export function readErrorCode(body: JsonObject | null): string | null {
  const code = body?.get('error');
  return typeof code === 'string' && code !== '' ? code : null;
}

/** The `error_description` member, cleaned, or null. */
export function readErrorDescription(body: JsonObject | null): string | null {
  const description = body?.get('error_description');
  return typeof description === 'string' && description !== '' ? clean(description) : null;
}

/** The provider's error, cleaned. */
export function readProviderError(code: string, body: JsonObject | null): ProviderError {
  return { code: clean(code), description: readErrorDescription(body) };
}

/**
 * Makes text of a stranger safe to store and show: printable, and at most 200 characters.
 *
 * Unprintable characters are replaced and never removed: a code that only looks like `access_denied` must not become it.
 */
function clean(text: string): string {
  const characters = [...text.slice(0, 2 * maximumErrorLength + 2).replace(unprintable, '\uFFFD')];
  if (characters.length <= maximumErrorLength) return characters.join('');
  return `${characters.slice(0, maximumErrorLength - 1).join('')}…`;
}
