import { decodeJwt } from 'jose';

/** Whom a hint means, and the circumstance that it asks for. */
export interface HintedPerson {
  /** An account's id, or whatever stands there: it may be nobody. */
  readonly account: string;
  /** Written after a plus sign: `alice+no-push@example.com`. */
  readonly circumstance: string | null;
}

/** Reads a hint; null when the provider does not take hints of this form. */
export type HintReader = (hint: string, issuer: string) => HintedPerson | null;

const mailDomain = '@example.com';
const phoneNumbers: Readonly<Record<string, string>> = { '+15550001001': 'alice', '+15550001002': 'bob' };

export const phoneNumberOf = (account: string): string =>
  Object.keys(phoneNumbers).find((number) => phoneNumbers[number] === account) ?? '+15550001999';

/** A mail address. */
export const mailAddress: HintReader = (hint) => {
  const at = hint.indexOf('@');
  if (at < 1) return null;
  return hint.slice(at).toLowerCase() === mailDomain ? person(hint.slice(0, at)) : nobody;
};

/** A user name, or a mail address. */
export const userName: HintReader = (hint, issuer) =>
  hint.includes('@') ? mailAddress(hint, issuer) : hint === '' ? null : person(hint);

/** `{"format":"iss_sub",…}` as JSON in a string, with this very issuer. */
export const issuerAndSubject: HintReader = (hint, issuer) => {
  const value = parseObject(hint);
  if (value?.['format'] !== 'iss_sub' || value['iss'] !== issuer || typeof value['sub'] !== 'string') return null;
  return value['sub'].startsWith('auth0|') ? person(value['sub'].slice('auth0|'.length)) : nobody;
};

/** A phone number, an address with its port, or an operator's token, each with its prefix. */
export const prefixed: HintReader = (hint) => {
  const [, prefix, value = ''] = /^(tel|ipport|operatortoken):(.+)$/.exec(hint) ?? [];
  if (prefix === undefined) return null;
  if (prefix !== 'tel') return nobody;
  const [number = '', circumstance = null] = value.split(';');
  return { account: phoneNumbers[number] ?? 'nobody', circumstance };
};

/** A JWT, signed or not, that names a subject; whoever presents it has proved who he is. */
export const subjectToken: HintReader = (hint) => {
  const { sub, sub_id: identifier } = claimsOf(hint) ?? {};
  if (typeof sub === 'string') return person(sub);
  const { email } = (identifier ?? {}) as { email?: unknown };
  return typeof email === 'string' ? mailAddress(email, '') : null;
};

/** An ID token that this issuer has issued; its age does not matter. */
export const ownIdToken: HintReader = (hint, issuer) => {
  const { iss, sub } = claimsOf(hint) ?? {};
  return iss === issuer && typeof sub === 'string' ? person(sub.replace(/^auth0\|/, '')) : null;
};

const nobody: HintedPerson = { account: 'nobody', circumstance: null };

function person(name: string): HintedPerson {
  const [account = '', circumstance = null] = name.toLowerCase().split('+');
  return { account, circumstance };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function claimsOf(token: string): Record<string, unknown> | null {
  try {
    return decodeJwt(token);
  } catch {
    return null;
  }
}
