import { clockToleranceMs, Findings, type Invariant } from '../judgement.js';
import { requestIdOf, succeeded } from '../calls.js';
import type { History } from '../history.js';

/**
 * I1. Every id that a client was given with a 2xx is a row of the database, its own, under the key that it sent; and
 * the row was there before the answer was.
 */
export const acceptedIsStored: Invariant = {
  id: 'I1',
  claim: 'what was accepted is stored, and was before the answer',
  judge: (history) => {
    const findings = new Findings();
    for (const call of history.calls) {
      if (!succeeded(call)) continue;
      const id = requestIdOf(call);
      if (id === null) {
        findings.expect(false, call.sent.callId, `a ${call.sent.op} succeeded without an id`);
        continue;
      }
      const row = history.requests.get(id);
      findings.expect(
        row !== undefined,
        id,
        `a ${call.sent.op} was answered ${call.answered!.status}, and no row is there`,
      );
      if (row === undefined || !['submit', 'replay'].includes(call.sent.op)) continue;
      findings.expect(
        row.apiClientId === history.clientId(call.sent.client),
        id,
        'the row belongs to another API client',
      );
      findings.expect(
        row.idempotencyKey === (call.sent.idempotencyKey ?? null),
        id,
        `the row has the key ${row.idempotencyKey}, sent was ${call.sent.idempotencyKey}`,
      );
      findings.expect(
        row.createdAtMs <= call.answered!.atMs + clockToleranceMs,
        id,
        'the answer came before the row was written',
      );
    }
    return findings;
  },
};

/** Ids that clients were given for what they submitted. */
export function acknowledgedIds({ calls }: History): Set<string> {
  const ids = calls.filter((call) => call.sent.op === 'submit' && succeeded(call)).map(requestIdOf);
  return new Set(ids.filter((id) => id !== null));
}
