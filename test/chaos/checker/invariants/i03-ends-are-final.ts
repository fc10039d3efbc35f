import { outcomes } from '../database-rows.js';
import { member, requestIdOf, succeeded, textMember, type Call } from '../calls.js';
import { groupBy, type History } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';

/** What may follow the end of a request on its timeline. */
const afterwards: ReadonlySet<string> = new Set(['decided', 'consumed', 'late_evidence']);

/**
 * I3. A request ends once: one end on its timeline, nothing but its decision, its use and late evidence after it, and
 * whoever has seen the end never sees anything else.
 */
export const endsAreFinal: Invariant = {
  id: 'I3',
  claim: 'an end never changes',
  judge: (history) => {
    const findings = new Findings();
    for (const row of history.requests.values()) {
      const entries = history.timelines.get(row.id) ?? [];
      const ends = entries.filter(({ type }) => outcomes.includes(type));
      findings.expect(
        ends.length <= 1,
        row.id,
        `the timeline has ${ends.length} ends: ${ends.map(({ type }) => type).join()}`,
      );
      if (!outcomes.includes(row.status)) continue;
      findings.expect(
        ends[0]?.type === row.status,
        row.id,
        `the row is ${row.status}, the timeline says ${ends[0]?.type}`,
      );
      const end = entries.findIndex(({ type }) => outcomes.includes(type));
      const moved = entries.slice(end + 1).find(({ type }) => !afterwards.has(type) && !outcomes.includes(type));
      findings.expect(end < 0 || moved === undefined, row.id, `"${moved?.type}" follows the end`);
      for (const once of ['decided', 'consumed']) {
        const times = entries.filter(({ type }) => type === once).length;
        findings.expect(times <= 1, row.id, `"${once}" stands ${times} times on the timeline`);
      }
    }
    seenByClients(history, findings);
    return findings;
  },
};

function seenByClients(history: History, findings: Findings): void {
  const seen = history.calls.filter((call) => succeeded(call) && statusIn(call) !== null);
  for (const [id, calls] of groupBy(seen, (call) => requestIdOf(call) ?? '')) {
    const row = history.requests.get(id);
    const ends = calls.filter((call) => outcomes.includes(statusIn(call)!));
    for (const call of ends) {
      findings.expect(
        row === undefined || row.status === statusIn(call),
        id,
        `a client saw ${statusIn(call)}, the row is ${row?.status}`,
      );
    }
    const firstEndMs = Math.min(...ends.map(({ answered }) => answered!.atMs));
    for (const call of calls) {
      if (call.sent.atMs <= firstEndMs) continue;
      findings.expect(outcomes.includes(statusIn(call)!), id, `a client saw ${statusIn(call)} after the end`);
    }
  }
}

/** The status that an answer shows, when it is a request's document. */
function statusIn({ answered }: Call): string | null {
  return member(answered?.answer, 'links') === undefined ? null : textMember(answered?.answer, 'status');
}
