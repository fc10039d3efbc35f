import { bindingMessageLimits } from '#lib/ciba';
import { neededAttributes, type Attributes } from '#lib/domain';
import type { RuleForSubmit } from '#lib/persistence';
import { invalidMember } from '../http/invalid-member.js';
import { bindingMessage } from './binding-message.js';

/** @throws ProblemError for the first attribute that the rule needs and that is missing */
export function refuseMissingAttributes(definition: RuleForSubmit['definition'], attributes: Attributes): void {
  const missing = neededAttributes(definition).find((name) => !Object.hasOwn(attributes, name));
  if (missing === undefined) return;
  const detail = `The rule "${definition.name}" needs the attribute ${missing}, which is missing: send it.`;
  throw invalidMember(`/attributes/${missing}`, detail);
}

/**
 * The text that the person reads; FAPI-CIBA demands one of every request, whatever the provider does.
 *
 * @param own the request's, instead of the rule's template
 */
export function messageUnder(
  { definition, provider }: Pick<RuleForSubmit, 'definition' | 'provider'>,
  own: string | undefined,
  attributes: Attributes,
): string | null {
  const limits = bindingMessageLimits(provider.profile);
  return bindingMessage(own, definition, attributes, { ...limits, required: limits.required || definition.fapi });
}
