import { randomInt } from 'node:crypto';
import { fillTemplate, fitBindingMessage, type Attributes, type BindingMessageLimits } from '#lib/domain';

// Without I, L, O, U, 0 and 1: what is read aloud or from a small screen is not mistaken.
const codeCharacters = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';
const codeLength = 6;

/**
 * The text that the person reads: the request's own, else the rule's template with the attributes, fit for the
 * provider; a made-up code where the provider demands a text and there is none; null when there is nothing to say.
 */
export function bindingMessage(
  own: string | undefined,
  rule: { readonly bindingMessage: string | null },
  attributes: Attributes,
  limits: BindingMessageLimits,
): string | null {
  const text = own ?? (rule.bindingMessage === null ? '' : fillTemplate(rule.bindingMessage, attributes));
  const fitted = fitBindingMessage(text, limits);
  if (fitted !== '') return fitted;
  return limits.required ? madeUpCode() : null;
}

const madeUpCode = (): string =>
  Array.from({ length: codeLength }, () => codeCharacters[randomInt(codeCharacters.length)]).join('');
