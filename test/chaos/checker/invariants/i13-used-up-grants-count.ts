import { clockToleranceMs, Findings, type Invariant } from '../judgement.js';
import { usedUpBy } from '../used-up.js';

/**
 * I13. When the provider has used up a grant, the request is approved, denied by that very denial, withdrawn, expired by
 * the database's clock with the approval on record, or failed: never denied by an approval, never plainly expired.
 */
export const usedUpGrantsCount: Invariant = {
  id: 'I13',
  claim: 'a grant that the provider used up is never denied away nor plainly expired',
  judge: (history) => {
    const findings = new Findings();
    for (const row of history.requests.values()) {
      const usedUp = usedUpBy(history.grantOf(row));
      if (usedUp === undefined) continue;
      const fits = {
        approved: usedUp.said === 'tokens',
        denied: usedUp.said === 'access_denied',
        cancelled: true,
        expired: true,
        failed: true,
      }[row.status];
      findings.expect(fits === true, row.id, `the provider said ${usedUp.said}, and the request is ${row.status}`);
      if (row.status !== 'expired') continue;
      const afterDeadline =
        row.expiresAtMs !== null && usedUp.atMs + (history.run.settings.callTimeoutMs ?? 10_000) >= row.expiresAtMs;
      findings.expect(
        usedUp.said !== 'tokens' || row.lateEvidence !== null,
        row.id,
        'expired, and the approval that the provider gave is not on record',
      );
      findings.expect(
        afterDeadline && row.endedAtMs! + clockToleranceMs >= row.expiresAtMs,
        row.id,
        `expired, and the provider had said ${usedUp.said} in time`,
      );
    }
    return findings;
  },
};
