import type { History } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';
import { causeOfDoubt, causeOfUnknownStart } from '../used-up.js';

/** I12. Nobody is told "unknown" without a fault that made it so. */
export const doubtHasACause: Invariant = {
  id: 'I12',
  claim: 'outcome_unknown and initiation_unknown only where a fault explains them',
  judge: (history) => {
    const findings = new Findings();
    for (const { requestId, cause } of unknownOutcomes(history)) {
      findings.expect(cause !== null, requestId, 'outcome_unknown, and no fault explains it');
    }
    for (const row of history.requests.values()) {
      if (row.reason !== 'initiation_unknown') continue;
      findings.expect(
        causeOfUnknownStart(history, row) !== undefined,
        row.id,
        'initiation_unknown, and no fault explains it',
      );
    }
    return findings;
  },
};

/** Every request whose outcome nobody can know, with what made it so. */
export function unknownOutcomes(history: History): { readonly requestId: string; readonly cause: string | null }[] {
  return [...history.requests.values()]
    .filter(({ reason }) => reason === 'outcome_unknown')
    .map((row) => ({ requestId: row.id, cause: causeOfDoubt(history, row) ?? null }));
}
