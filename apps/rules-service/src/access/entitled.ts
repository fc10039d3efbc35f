import { mayAsk, mayUseRule, type Attributes } from '#lib/domain';
import { ProblemError } from '#lib/runtime';
import type { Caller } from './caller.js';

/** @throws ProblemError `rule_not_allowed` */
export function refuseRule(caller: Caller, ruleId: string): void {
  if (!mayUseRule(caller, ruleId)) throw ruleNotAllowed();
}

/** The same for a rule that is not the client's and for one that does not exist. */
export const ruleNotAllowed = (): ProblemError =>
  new ProblemError('rule_not_allowed', 'This API client may not use that rule. Nobody was asked.');

/**
 * Looks at the client's entitlements alone: whether the provider knows the person makes no difference.
 *
 * @throws ProblemError `subject_not_allowed`
 */
export function refuseSubject(caller: Caller, person: string, attributes: Attributes): void {
  if (mayAsk(caller, person, attributes)) return;
  throw new ProblemError('subject_not_allowed', 'This API client may not have that person asked. Nobody was asked.');
}
