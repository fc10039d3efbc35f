import { fillTextOrJson, type HintKind } from '#lib/domain';
import { isEncrypted, namesKey, openEncrypted } from './encrypted-token.js';
import { providerProfiles } from './provider-profiles.js';
import type { DecryptionKeyMaterial, ProviderProfileName, ProviderSettings } from './registration.js';
import { isRecord, parseJsonObject } from './strict-json.js';

/** How a person is named to a provider. */
export interface HintForm {
  readonly kind: HintKind;
  /** Null: the way of the provider's profile. */
  readonly template: string | null;
}

/** Whether a provider of this profile takes hints of this kind. */
export const takesHint = (profile: ProviderProfileName, kind: HintKind): boolean =>
  providerProfiles[profile].hint.kinds.includes(kind);

/** The hint that names a person to a provider. */
export function renderHint(
  { kind, template }: HintForm,
  value: string,
  { issuer, profile }: Pick<ProviderSettings, 'issuer' | 'profile'>,
): string {
  const { hint } = providerProfiles[profile];
  const usual = kind === 'login_hint' && hint.finished?.test(value) !== true ? hint.template : null;
  const chosen = template ?? usual;
  if (chosen === null) return value;
  const rendered = fillTextOrJson(chosen, { value, issuer });
  return typeof rendered === 'string' ? rendered : JSON.stringify(rendered);
}

/**
 * An ID token as it is sent as a hint: one that is encrypted to us is opened first, for the provider that signed it
 * cannot (CIBA Core 1.0 §7.1). One that is for somebody else is passed on as it is; null: it names a key of ours and does not open.
 */
export async function openHint(
  kind: HintKind,
  value: string,
  keys: () => Promise<readonly DecryptionKeyMaterial[]>,
): Promise<string | null> {
  if (kind !== 'id_token_hint' || !isEncrypted(value)) return value;
  const ours = await keys();
  const opened = await openEncrypted(value, ours);
  if (opened.kind === 'opened') return opened.compact;
  return namesKey(value, ours) ? null : value;
}

/**
 * What is wrong with a hint; null when nothing is known to be.
 *
 * A JSON object has to be one that every reader understands alike: else it could name one person to the provider and
 * another one, or a new one each time, to the limits. An ID token has to come from the provider that is asked; one that is encrypted to the provider nobody else can read,
 * and it is passed on as it is (CIBA Core 1.0 §7.1).
 */
export function hintProblem(kind: HintKind, hint: string, issuer: string): string | null {
  if (kind === 'login_hint')
    return isAmbiguousJson(hint) ? 'It begins like a JSON object, and is not a plain one.' : null;
  if (kind !== 'id_token_hint' || isEncrypted(hint)) return null;
  const claims = readClaims(hint);
  if (claims === null) return 'It is no ID token.';
  return claims.get('iss') === issuer ? null : 'It is an ID token of another issuer.';
}

/** The subject that a hint names at this issuer; null when it names none, or nobody but the provider can read it. */
export function hintSubject(kind: HintKind, hint: string, issuer: string): string | null {
  switch (kind) {
    case 'login_hint':
      return subjectAt(issuer, Object.fromEntries(parseJsonObject(hint) ?? []));
    case 'id_token_hint': {
      const claims = readClaims(hint);
      return claims?.get('iss') === issuer ? textOrNull(claims.get('sub')) : null;
    }
    case 'login_hint_token':
      return subjectAt(issuer, readClaims(hint)?.get('sub_id'));
  }
}

/**
 * The name under which a hint's person is known, however the hint is written: the subject identifier in it (RFC 9493)
 * when there is one that can be read, else the value of the attribute.
 */
export function namedPerson(kind: HintKind, hint: string, value: string): string {
  switch (kind) {
    case 'login_hint':
      return identified(Object.fromEntries(parseJsonObject(hint) ?? [])) ?? value;
    case 'id_token_hint':
      return textOrNull(readClaims(hint)?.get('sub')) ?? value;
    case 'login_hint_token': {
      const claims = readClaims(hint);
      return identified(claims?.get('sub_id')) ?? textOrNull(claims?.get('sub')) ?? value;
    }
  }
}

/** Whether nobody but the provider can read whom a hint names. */
export const isUnreadable = (kind: HintKind, hint: string): boolean => kind !== 'login_hint' && isEncrypted(hint);

/** Lenient readers skip comments and a byte order mark before they come to a brace. */
const isAmbiguousJson = (hint: string): boolean => /^\s*(?:\{|\/[/*])/.test(hint) && parseJsonObject(hint) === null;

function identified(identifier: unknown): string | null {
  if (!isRecord(identifier)) return null;
  const { format, sub, email, phone_number: phone, id, uri } = identifier;
  switch (format) {
    case 'iss_sub':
      return textOrNull(sub);
    case 'email':
      return textOrNull(email);
    case 'phone_number':
      return textOrNull(phone);
    case 'opaque':
      return textOrNull(id);
    case 'account':
      return textOrNull(uri);
    default:
      return null;
  }
}

/** A subject identifier of format `iss_sub` (RFC 9493 §3.2.3). */
function subjectAt(issuer: string, identifier: unknown): string | null {
  if (!isRecord(identifier) || identifier['format'] !== 'iss_sub' || identifier['iss'] !== issuer) return null;
  return textOrNull(identifier['sub']);
}

/** The signature is the provider's to check: it made the token. */
function readClaims(token: string) {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  return payload === undefined ? null : parseJsonObject(Buffer.from(payload, 'base64url').toString('utf8'));
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
