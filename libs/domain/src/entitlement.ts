/** Which rules an API client may use, and which people it may have asked: declared, never programmed. */

import type { Attributes } from './attributes.js';
import { hasInvisible, personName } from './person.js';

/**
 * People whom an API client may have asked: everything that is given has to hold. Names are compared as `personName`
 * writes them.
 */
export interface SubjectEntitlement {
  /** The whole name. */
  readonly equals?: string | undefined;
  /** The end of the name, such as `@example.com`, after a part that is not empty. */
  readonly endsWith?: string | undefined;
  /** Attributes of the request with exactly these values. */
  readonly attributes?: Readonly<Attributes> | undefined;
}

/** What an API client is limited to; null: to nothing. */
export interface Entitlements {
  /** Ids of rules. */
  readonly rules: readonly string[] | null;
  /** One of them suffices; none: nobody may be asked. */
  readonly subjects: readonly SubjectEntitlement[] | null;
}

/** Limited to nothing. */
export const unlimited: Entitlements = { rules: null, subjects: null };

/** Whether the client may use this rule. */
export const mayUseRule = ({ rules }: Pick<Entitlements, 'rules'>, ruleId: string): boolean =>
  rules === null || rules.includes(ruleId);

/** Whether the client may have this person asked about this; what cannot be judged is not allowed. */
export function mayAsk(
  { subjects }: Pick<Entitlements, 'subjects'>,
  person: string,
  attributes: Readonly<Attributes>,
): boolean {
  if (subjects === null) return true;
  if (hasInvisible(person)) return false;
  const name = personName(person);
  return subjects.some((subject) => covers(subject, name, attributes));
}

function covers(
  { equals, endsWith, attributes: wanted }: SubjectEntitlement,
  name: string,
  given: Attributes,
): boolean {
  if (equals === undefined && endsWith === undefined && wanted === undefined) return false;
  if (equals !== undefined && personName(equals) !== name) return false;
  if (endsWith !== undefined && !hasEnding(name, personName(endsWith))) return false;
  return Object.entries(wanted ?? {}).every(
    ([member, value]) => Object.hasOwn(given, member) && given[member] === value,
  );
}

// Of an address with two hosts the provider may take the other one.
function hasEnding(name: string, ending: string): boolean {
  if (ending === '' || !name.endsWith(ending)) return false;
  const rest = name.slice(0, -ending.length);
  return /^[^\s@,;<>"]+$/.test(rest);
}
