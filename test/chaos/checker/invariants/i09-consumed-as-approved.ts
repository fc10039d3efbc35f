import { requestIdOf, succeeded } from '../calls.js';
import { clockToleranceMs, Findings, type Invariant } from '../judgement.js';
import { canonical } from '../canonical.js';

/** I9. A consumption succeeds only for an approval, its own API client, the attributes approved, and before it lapses. */
export const consumedAsApproved: Invariant = {
  id: 'I9',
  claim: 'consumed only when approved, by its client, for what was approved, in time',
  judge: (history) => {
    const findings = new Findings();
    for (const row of history.requests.values()) {
      if (row.consumedAtMs === null) continue;
      findings.expect(row.status === 'approved', row.id, `consumed while ${row.status}`);
      findings.expect(row.consumedBy === row.apiClientId, row.id, 'consumed by another API client');
      findings.expect(
        row.consumeByMs !== null && row.consumedAtMs < row.consumeByMs,
        row.id,
        'consumed after the approval had lapsed',
      );
      findings.expect(
        row.endedAtMs !== null && row.consumedAtMs >= row.endedAtMs,
        row.id,
        'consumed before it was approved',
      );
    }
    for (const row of history.requests.values()) {
      const within = history.ruleOf(row)?.consumeWithinSeconds;
      if (row.consumeByMs === null || row.endedAtMs === null || within === undefined) continue;
      findings.expect(
        Math.abs(row.consumeByMs - row.endedAtMs - within * 1000) <= clockToleranceMs,
        row.id,
        `the approval lapses after ${(row.consumeByMs - row.endedAtMs) / 1000} s, the rule says ${within} s`,
      );
    }
    for (const call of history.calls) {
      const { sent, answered } = call;
      if (sent.op !== 'consume') continue;
      const id = requestIdOf(call) ?? '';
      const row = history.requests.get(id);
      if (row === undefined) continue;
      if (!succeeded(call)) {
        const lapsed = answered?.problemCode === 'approval_lapsed';
        findings.expect(
          !lapsed || (row.consumeByMs !== null && answered.atMs + clockToleranceMs >= row.consumeByMs),
          id,
          'refused as lapsed before its time',
        );
        continue;
      }
      findings.expect(row.status === 'approved', id, `a consumption succeeded, and the request is ${row.status}`);
      findings.expect(history.clientId(sent.client) === row.apiClientId, id, 'another API client consumed it');
      const approved = history.submissions.attributesOf(row);
      findings.expect(
        sent.attributes == null || approved == null || canonical(sent.attributes) === canonical(approved),
        id,
        'consumed for other attributes than were approved',
      );
    }
    return findings;
  },
};
