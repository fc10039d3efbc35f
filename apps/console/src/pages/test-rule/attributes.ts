import { namedAttributes, type Attributes } from '#lib/domain';
import type { Rule } from '#lib/contracts';

/** One attribute as it is typed. */
export interface AttributeRow {
  readonly name: string;
  readonly value: string;
}

/** The attributes that a rule speaks of: the hint first, then those in its templates. */
export function namesOf(
  rule: Pick<Rule, 'loginHintAttribute' | 'bindingMessage' | 'authorizationDetails' | 'extraParameters'>,
): string[] {
  const { loginHintAttribute, bindingMessage, authorizationDetails, extraParameters } = rule;
  return [
    ...new Set([loginHintAttribute, ...namedAttributes([bindingMessage, authorizationDetails, extraParameters])]),
  ];
}

/** What is sent: attributes without a name are left out. */
export const attributesOf = (rows: readonly AttributeRow[]): Attributes =>
  Object.fromEntries(rows.filter(({ name }) => name.trim() !== '').map(({ name, value }) => [name.trim(), value]));

/** The attribute that a pointer into the body speaks of, when there is a row for it. */
export function attributeOfPointer(rows: readonly AttributeRow[], pointer: string): string | null {
  const [, member, escaped = ''] = pointer.split('/');
  const name = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
  return member === 'attributes' && rows.some((row) => row.name.trim() === name) ? name : null;
}
