import { outcomes } from '../database-rows.js';
import { Findings, type Invariant } from '../judgement.js';

const withinMs = 60_000;

/** I2. Every request ends, with its decision, at most 60 s after its deadline or the last fault's healing. */
export const everythingEnds: Invariant = {
  id: 'I2',
  claim: 'every request has ended, at most 60 s after its deadline or the last healing',
  judge: ({ run, requests, faults }) => {
    const findings = new Findings();
    findings.expect(
      run.quiescedAtMs !== null,
      'the run',
      `it never came to rest: ${JSON.stringify(run.unfinished ?? null)}`,
    );
    const healedAtMs = faults.lastHealedAtMs;
    for (const row of requests.values()) {
      const ended = outcomes.includes(row.status) && row.endedAtMs !== null;
      findings.expect(ended, row.id, `the request is still ${row.status}`);
      findings.expect(row.decisionId !== null, row.id, 'the request has no decision');
      if (row.endedAtMs === null) continue;
      const dueMs = Math.max(row.expiresAtMs ?? row.createdAtMs, healedAtMs) + withinMs;
      findings.expect(
        row.endedAtMs <= dueMs,
        row.id,
        `the request ended ${Math.round((row.endedAtMs - dueMs) / 1000)} s too late`,
      );
    }
    return findings;
  },
};
