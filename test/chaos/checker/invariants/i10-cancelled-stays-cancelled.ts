import { requestIdOf, succeeded } from '../calls.js';
import { clockToleranceMs, Findings, type Invariant } from '../judgement.js';
import { lossOf, usedUpBy } from '../used-up.js';

/**
 * I10. A withdrawal that was acknowledged holds; an approval that comes later is put on record as late evidence and
 * never used; nobody but a caller withdraws.
 */
export const cancelledStaysCancelled: Invariant = {
  id: 'I10',
  claim: 'an acknowledged cancel holds, and a later approval is only put on record',
  judge: (history) => {
    const findings = new Findings();
    const asked = new Map<string, number>();
    for (const call of history.calls) {
      if (call.sent.op !== 'cancel') continue;
      const id = requestIdOf(call) ?? '';
      asked.set(id, Math.min(asked.get(id) ?? Infinity, call.sent.atMs));
      const row = history.requests.get(id);
      if (row === undefined) continue;
      if (succeeded(call)) {
        findings.expect(row.status === 'cancelled', id, `a cancel was acknowledged, and the request is ${row.status}`);
      } else if (call.answered?.problemCode === 'already_decided') {
        const ended = row.endedAtMs !== null && row.endedAtMs <= call.answered.atMs + clockToleranceMs;
        findings.expect(ended && row.status !== 'cancelled', id, 'a cancel was refused as too late, and it was not');
      }
    }
    for (const row of history.requests.values()) {
      if (row.status !== 'cancelled') continue;
      findings.expect(
        (asked.get(row.id) ?? Infinity) <= (row.endedAtMs ?? 0) + clockToleranceMs,
        row.id,
        'cancelled, and nobody had asked for it',
      );
      findings.expect(
        !row.holdsToken && row.consumedAtMs === null,
        row.id,
        'cancelled, and an approval of it lives on',
      );
      const usedUp = usedUpBy(history.grantOf(row));
      if (usedUp?.said !== 'tokens') continue;
      const lost = lossOf(history, usedUp);
      findings.expect(
        row.lateEvidence !== null || lost !== undefined,
        row.id,
        'the approval that came after the cancel is not on record',
      );
    }
    return findings;
  },
};
