import { clockToleranceMs, Findings, type Invariant } from '../judgement.js';

/**
 * I5. Denied means that the person said no and the provider answered `access_denied`, or, for `provider_policy`, that
 * the provider refused the start call so. Never a timeout, a 5xx, an `invalid_grant`.
 */
export const deniedByThePerson: Invariant = {
  id: 'I5',
  claim: 'denied only by the person’s no, or the provider’s refusal',
  judge: (history) => {
    const findings = new Findings();
    for (const row of history.requests.values()) {
      if (row.status !== 'denied') continue;
      if (row.reason === 'provider_policy') {
        const starts = history.startsOf(row);
        const refused = starts.some(({ said, error }) => said === 'refused' && error === 'access_denied');
        findings.expect(refused, row.id, 'denied by policy, and the provider refused no start call so');
        continue;
      }
      const endedAtMs = (row.endedAtMs ?? 0) + clockToleranceMs;
      const grant = history.grantOf(row);
      const saidNo = grant?.persons.some(({ person, atMs }) => person === 'deny' && atMs <= endedAtMs) ?? false;
      findings.expect(saidNo, row.id, 'denied, and the person had not said no');
      const answers = [...(grant?.tokens ?? []), ...(grant?.pushes ?? [])];
      const told = answers.find(({ said, atMs }) => said === 'access_denied' && atMs <= endedAtMs);
      findings.expect(told !== undefined, row.id, 'denied, and the provider had not answered access_denied');
      findings.expect(told?.delivered !== false, row.id, 'denied by an answer that never left the provider');
    }
    return findings;
  },
};
