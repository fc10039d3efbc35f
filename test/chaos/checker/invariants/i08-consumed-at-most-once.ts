import { member, requestIdOf, succeeded, type Call } from '../calls.js';
import { groupBy, type History } from '../history.js';
import { clockToleranceMs, Findings, type Invariant } from '../judgement.js';

/**
 * I8. However many callers, repetitions and crashes: one consumption of a request succeeds. Only its own repetition,
 * under the same key, is answered like it; nobody is told "already used" about what was never used.
 */
export const consumedAtMostOnce: Invariant = {
  id: 'I8',
  claim: 'an approval is consumed at most once',
  judge: (history) => {
    const findings = new Findings();
    const consumes = history.calls.filter(({ sent }) => sent.op === 'consume');
    const byRequest = groupBy(consumes, (call) => requestIdOf(call) ?? '');
    for (const [id, calls] of byRequest) ofOneRequest(history, id, calls, findings);
    for (const row of history.requests.values()) {
      if (row.consumedAtMs === null) continue;
      const asked = byRequest.get(row.id)?.some(({ sent }) => sent.atMs <= row.consumedAtMs! + clockToleranceMs);
      findings.expect(asked === true, row.id, 'consumed, and nobody had asked for it');
    }
    return findings;
  },
};

function ofOneRequest(history: History, id: string, calls: readonly Call[], findings: Findings): void {
  const row = history.requests.get(id);
  const won = calls.filter(succeeded);
  const first = won.filter(({ answered }) => answered!.replayed !== true);
  findings.expect(first.length <= 1, id, `${first.length} consumptions succeeded`);
  const keys = new Set(won.map(({ sent }) => sent.consumeKey ?? null));
  findings.expect(won.length <= 1 || (keys.size === 1 && !keys.has(null)), id, 'consumed under more than one key');
  const moments = new Set(won.map(({ answered }) => member(answered!.answer, 'consumedAt')));
  findings.expect(moments.size <= 1, id, `consumed at ${moments.size} moments`);
  for (const { sent, answered } of won) {
    findings.expect(row?.consumedAtMs != null, id, 'a consumption succeeded, and the row knows nothing of it');
    const at = member(answered!.answer, 'consumedAt');
    findings.expect(
      typeof at === 'string' && Date.parse(at) === row?.consumedAtMs,
      id,
      `a client was told ${String(at)}, the row says otherwise`,
    );
    findings.expect(
      (row?.consumeKey ?? null) === (sent.consumeKey ?? null),
      id,
      'the row was consumed under another key',
    );
  }
  const told = calls.some(({ answered }) => answered?.problemCode === 'already_consumed');
  findings.expect(!told || row?.consumedAtMs != null, id, 'refused as already consumed, and it never was');
}
