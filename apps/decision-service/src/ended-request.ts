import type { Outcome } from '#lib/domain';
import type { DecisionContext } from '#lib/persistence';

/** A request that has ended: what its decision is made of. */
export type EndedRequest = Omit<DecisionContext, 'outcome'> & { readonly outcome: Outcome };

/** True when the request has an outcome, and so can have a decision. */
export const hasEnded = (context: DecisionContext): context is DecisionContext & EndedRequest =>
  context.outcome !== null;
