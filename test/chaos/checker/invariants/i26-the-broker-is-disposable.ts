import { outcomes } from '../database-rows.js';
import { Findings, type Invariant } from '../judgement.js';

/** I26. Whatever was under way when the broker lost its disk has ended, decided, and published nonetheless. */
export const theBrokerIsDisposable: Invariant = {
  id: 'I26',
  claim: 'the loss of the broker’s disk loses no request and no decision',
  judge: (history) => {
    const findings = new Findings();
    for (const { fromMs, untilMs, faultId } of history.faults.wipes) {
      for (const row of history.requests.values()) {
        if (row.createdAtMs > untilMs || (row.endedAtMs ?? Infinity) < fromMs) continue;
        const decisions = history.decisionsOfRequest.get(row.id) ?? [];
        findings.expect(
          outcomes.includes(row.status) && decisions.length === 1,
          row.id,
          `under way at ${faultId}, and now ${row.status} with ${decisions.length} decisions`,
        );
      }
    }
    if (history.faults.wipes.length === 0) findings.note('the broker was not wiped in this run');
    return findings;
  },
};
