import type { Decision } from '#lib/contracts';
import type { EndedRequest } from './ended-request.js';
import { rejectionOf } from './rejection/rejection-of.js';

/** The decision about a request that has ended, still without its receipt. */
export function decisionDocument(id: string, request: EndedRequest): Decision {
  const { evidence } = request;
  return {
    id,
    authorizationRequestId: request.requestId,
    outcome: request.outcome,
    reason: request.reason,
    providerError: request.providerError,
    rule: request.rule,
    decidedAt: request.endedAt.toISOString(),
    rejection: rejectionOf(request),
    // Only an approval is proven; evidence that came too late decides nothing and shows nowhere.
    evidence:
      request.outcome === 'approved' && evidence
        ? { ...evidence, amr: evidence.amr === null ? null : [...evidence.amr] }
        : null,
    receipt: null,
    requestHash: request.requestHash,
    metadata: { ...request.metadata },
  };
}
