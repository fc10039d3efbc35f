import type { RequestRow } from '../database-rows.js';
import type { History } from '../history.js';
import type { ProviderLine } from '../history-lines.js';
import { clockToleranceMs, Findings, type Invariant } from '../judgement.js';

const onItsWayMs = 2_000;
const longestCallMs = 45_000;

/**
 * I14. The person is asked once. Another start call follows only a definite "not now" (429 or 503 with `Retry-After`),
 * or, once and where the rule says so, an answer that was lost. Every call was written down before it was made.
 */
export const askedOnce: Invariant = {
  id: 'I14',
  claim: 'one prompt per request, one more only where the rule allows it after a lost answer',
  judge: (history) => {
    const findings = new Findings();
    const known = new Set<ProviderLine>();
    for (const row of history.requests.values()) {
      const starts = history.startsOf(row);
      for (const start of starts) {
        findings.expect(!known.has(start), row.id, 'one start call asked about two requests');
        known.add(start);
      }
      if (starts.length > 0) ofOneRequest(history, row, starts, findings);
    }
    for (const start of history.starts) {
      findings.expect(known.has(start), start.bindingMessage ?? '', 'a person was asked about no request');
    }
    return findings;
  },
};

function ofOneRequest(history: History, row: RequestRow, starts: readonly ProviderLine[], findings: Findings): void {
  const attempts = history.startAttempts.get(row.id) ?? [];
  findings.expect(
    starts.length <= attempts.length,
    row.id,
    `${starts.length} start calls reached the provider, ${attempts.length} were written down`,
  );
  starts.forEach((start, index) => {
    const writtenDown = attempts.filter(({ sentAtMs }) => sentAtMs <= start.atMs + clockToleranceMs).length;
    findings.expect(writtenDown > index, row.id, 'a start call was made before it was written down');
  });
  const mostPrompts = history.ruleOf(row)?.onInitiationUnknown === 'ask-again' ? 2 : 1;
  const prompts = starts.filter(({ said }) => said === 'acknowledged').length;
  findings.expect(prompts <= mostPrompts, row.id, `the person was asked ${prompts} times`);
  starts.slice(1).forEach((start, index) => {
    const before = starts[index]!;
    if (definitelyNotAsked(before)) return findings.expect(true, row.id, '');
    const lost =
      before.delivered === false ||
      history.faults.losesStartAnswer(before.atMs - onItsWayMs, before.atMs + longestCallMs) !== undefined;
    findings.expect(
      mostPrompts > 1 && lost,
      row.id,
      `asked again ${start.atMs - before.atMs} ms after an answer that ${lost ? 'was lost' : 'had arrived'}`,
    );
  });
}

/** Nobody was asked, and the provider said when to come back. */
const definitelyNotAsked = ({ said, error, retryAfterSeconds }: ProviderLine): boolean =>
  said !== 'acknowledged' && (error === '429' || error === '503') && retryAfterSeconds != null;
