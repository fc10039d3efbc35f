import { Findings, type Invariant } from '../judgement.js';

/** I6. Expired means that the deadline had passed by the database's clock, or the provider said so, and no attempt was open. */
export const expiredAfterTheDeadline: Invariant = {
  id: 'I6',
  claim: 'expired only after the deadline, or by the provider’s word, with no attempt open',
  judge: (history) => {
    const findings = new Findings();
    for (const row of history.requests.values()) {
      if (row.status !== 'expired') continue;
      const end = history.timelines.get(row.id)?.find(({ type }) => type === 'expired');
      if (row.expiresAtMs === null) {
        findings.expect(end?.detail['asked'] === false, row.id, 'expired without a deadline, and not given up unasked');
        const prompts = history.startsOf(row).filter(({ said }) => said === 'acknowledged');
        findings.expect(prompts.length === 0, row.id, 'given up as never asked, and the provider asked the person');
      } else {
        const told = [...(history.grantOf(row)?.tokens ?? []), ...(history.grantOf(row)?.pushes ?? [])].some(
          ({ said, atMs }) => (said === 'expired_token' || said === 'invalid_grant') && atMs <= row.endedAtMs!,
        );
        const due = row.endedAtMs !== null && row.endedAtMs >= row.expiresAtMs;
        findings.expect(
          due || (told && end?.detail['saidBy'] === 'provider'),
          row.id,
          `expired ${row.expiresAtMs - (row.endedAtMs ?? 0)} ms before its deadline, and the provider had not said so`,
        );
      }
      const open = (history.startAttempts.get(row.id) ?? []).filter(({ closedAtMs }) => closedAtMs === null);
      findings.expect(open.length === 0, row.id, 'expired while a start call was open');
    }
    return findings;
  },
};
