import { canonical } from '../canonical.js';
import type { DecisionRow, RequestRow } from '../database-rows.js';
import { member, requestIdOf, succeeded, textMember, type Call } from '../calls.js';
import type { History } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';

/**
 * I15. One decision per request, in agreement with its row, and the same document, byte by byte and under the same id,
 * in the database, in every webhook, callback and event, and in every answer.
 */
export const oneDecision: Invariant = {
  id: 'I15',
  claim: 'one decision per request, the same bytes under the same id everywhere',
  judge: (history) => {
    const findings = new Findings();
    for (const row of history.requests.values()) ofRow(history, row, findings);
    for (const decision of history.decisions) {
      findings.expect(history.requests.has(decision.requestId), decision.requestId, 'a decision about no request');
    }
    inWebhooks(history, findings);
    inEvents(history, findings);
    for (const call of history.calls) if (succeeded(call)) inAnswer(history, call, findings);
    return findings;
  },
};

function ofRow(history: History, row: RequestRow, findings: Findings): void {
  const decisions = history.decisionsOfRequest.get(row.id) ?? [];
  if (row.endedAtMs === null) return findings.expect(decisions.length === 0, row.id, 'decided before it ended');
  findings.expect(decisions.length === 1, row.id, `the request has ${decisions.length} decisions`);
  const decision = decisions[0];
  if (decision === undefined) return;
  const { document } = decision;
  findings.expect(row.decisionId === decision.id, row.id, 'the row names another decision');
  findings.expect(
    decision.outcome === row.status,
    row.id,
    `decided as ${decision.outcome}, and the request is ${row.status}`,
  );
  findings.expect(decision.decidedAtMs === row.endedAtMs, row.id, 'the decision names another moment than the end');
  findings.expect(
    document.id === decision.id &&
      document.authorizationRequestId === row.id &&
      document.outcome === row.status &&
      (document.reason ?? null) === row.reason &&
      document.requestHash === row.requestHash,
    row.id,
    'the decision document contradicts the row',
  );
  findings.expect(
    (document.evidence != null) === (row.status === 'approved') &&
      (document.receipt != null) === (row.status === 'approved'),
    row.id,
    'evidence and receipt stand in the document of an approval, and in no other',
  );
  findings.expect(
    canonical(document.evidence ?? null) === canonical(row.status === 'approved' ? row.evidence : null),
    row.id,
    'the decision shows other evidence than the row',
  );
}

function inWebhooks(history: History, findings: Findings): void {
  for (const { headers, body } of history.webhooks) {
    if (!isDecision(parsed(body))) continue;
    const id = headers['webhook-id'] ?? '';
    const decision = history.decisionById.get(id);
    if (decision === undefined) continue;
    findings.expect(
      carries(body, decision),
      decision.requestId,
      `a webhook carries another document under the id ${id}`,
    );
  }
}

function inEvents(history: History, findings: Findings): void {
  for (const { body } of history.amqp) {
    const event = parsed(body);
    const decision = history.decisionById.get(textMember(member(event, 'data'), 'id') ?? '');
    if (decision === undefined) continue;
    findings.expect(carries(body, decision), decision.requestId, 'an event carries another document');
    findings.expect(
      textMember(event, 'subject') === decision.requestId,
      decision.requestId,
      'an event names another request',
    );
  }
}

function inAnswer(history: History, call: Call, findings: Findings): void {
  const shown = member(call.answered!.answer, 'decision');
  if (typeof shown !== 'object' || shown === null) return;
  const id = requestIdOf(call) ?? '';
  const decision = history.decisionsOfRequest.get(id)?.[0];
  findings.expect(
    decision !== undefined && canonical(shown) === canonical(decision.document),
    id,
    `a ${call.sent.op} showed another decision than the database holds`,
  );
}

/** The document is the last member of every envelope: its bytes end the body. */
const carries = (body: string, { text }: DecisionRow): boolean => body.endsWith(`"data":${text}}`);

/** True for the envelope of a decision; other webhooks go the same way. */
export const isDecision = (envelope: unknown): boolean =>
  textMember(envelope, 'type')?.startsWith('decision.') ?? false;

/** The body as JSON; undefined when it is none. */
export function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
