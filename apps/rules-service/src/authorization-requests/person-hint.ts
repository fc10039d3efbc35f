import { hintProblem, hintSubject, isUnreadable, namedPerson, openHint, renderHint } from '#lib/ciba';
import { loginHint, type Attributes } from '#lib/domain';
import type { Database, RuleForSubmit } from '#lib/persistence';
import { invalidMember } from '../http/invalid-member.js';

/**
 * The attributes with the hint as the provider can read it, where it was encrypted to us.
 *
 * @throws ProblemError for one that is encrypted to us in a way that is not accepted
 */
export async function openedHint(
  { definition: { hintKind, loginHintAttribute } }: Pick<RuleForSubmit, 'definition'>,
  attributes: Attributes,
  encryptionKeys: Pick<Database['encryptionKeys'], 'decryption'>,
): Promise<Attributes> {
  const value = loginHint(loginHintAttribute, attributes);
  if (value === null) return attributes;
  const opened = await openHint(hintKind, value, () => encryptionKeys.decryption());
  if (opened !== null) return opened === value ? attributes : { ...attributes, [loginHintAttribute]: opened };
  throw invalidMember(`/attributes/${loginHintAttribute}`, 'It is an encrypted ID token that does not open.');
}

/**
 * The hint that names the person to the rule's provider.
 *
 * @throws ProblemError when the attribute is missing, or names nobody whose approval could count
 */
export function personHint(
  { definition, provider }: Pick<RuleForSubmit, 'definition' | 'provider'>,
  attributes: Attributes,
): string {
  const { name, loginHintAttribute, hintKind: kind, hintTemplate: template, subjectPolicy } = definition;
  const pointer = `/attributes/${loginHintAttribute}`;
  const value = loginHint(loginHintAttribute, attributes);
  if (value === null) {
    const detail = `The rule "${name}" takes the login hint from the attribute ${loginHintAttribute}, which is missing: send it.`;
    throw invalidMember(pointer, detail, 'login_hint_missing');
  }
  const hint = renderHint({ kind, template }, value, provider);
  const problem = hintProblem(kind, hint, provider.issuer);
  if (problem !== null) throw invalidMember(pointer, problem);
  if (subjectPolicy === 'hint' && hintSubject(kind, hint, provider.issuer) === null) {
    throw invalidMember(
      pointer,
      'It names no subject at the token provider, and the rule counts nobody else’s approval.',
    );
  }
  return hint;
}

/**
 * The name under which the person behind a hint is known to limits, entitlements and erasure.
 *
 * All whom nobody but the provider can read share one name for each client and rule: encrypted anew, the same person
 * would otherwise be another one with every request.
 */
export function personOf(
  { id, definition: { loginHintAttribute, hintKind } }: Pick<RuleForSubmit, 'id' | 'definition'>,
  apiClientId: string,
  hint: string,
  attributes: Attributes,
): string {
  if (isUnreadable(hintKind, hint)) return `unreadable hints of ${apiClientId} under ${id}`;
  return namedPerson(hintKind, hint, loginHint(loginHintAttribute, attributes) ?? hint);
}
