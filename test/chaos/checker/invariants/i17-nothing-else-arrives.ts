import { member, textMember } from '../calls.js';
import { Findings, type Invariant } from '../judgement.js';
import { isDecision, parsed } from './i15-one-decision.js';

/** I17. What arrives, repetitions aside, is the set of decisions: none invented, none misdirected, none contradicted. */
export const nothingElseArrives: Invariant = {
  id: 'I17',
  claim: 'what arrives is exactly the set of decisions',
  judge: (history) => {
    const findings = new Findings();
    const endpoints = new Map(history.run.webhookEndpoints.map((endpoint) => [endpoint.id, endpoint]));
    const due = new Set(
      history.deliveries.map(({ decisionId, endpointId }) => `${decisionId} ${endpointId ?? 'callback'}`),
    );
    for (const { headers, body, endpointId, url } of history.webhooks) {
      const envelope = parsed(body);
      const id = headers['webhook-id'] ?? '';
      if (envelope !== undefined && !isDecision(envelope)) continue;
      const decision = history.decisionById.get(id);
      findings.expect(decision !== undefined, id, 'a decision arrived that the database does not hold');
      if (decision === undefined) continue;
      const type = textMember(envelope, 'type');
      findings.expect(
        type === `decision.${decision.outcome}`,
        decision.requestId,
        `${type} arrived, decided was ${decision.outcome}`,
      );
      findings.expect(
        due.has(`${id} ${endpointId ?? 'callback'}`),
        decision.requestId,
        `a decision arrived at ${endpointId ?? 'a callback'} that is not due there`,
      );
      if (endpointId === null) {
        const wanted = history.requests.get(decision.requestId)?.callbackUrl;
        findings.expect(sameAddress(wanted, url), decision.requestId, 'a callback went to another address');
      } else {
        const events = endpoints.get(endpointId)?.events ?? [];
        findings.expect(
          events.includes(type ?? ''),
          decision.requestId,
          `the endpoint ${endpointId} did not ask for ${type}`,
        );
      }
    }
    const outbox = new Map(history.outbox.map((row) => [row.id, row]));
    for (const { messageId, routingKey, body } of history.amqp) {
      const event = parsed(body);
      const row = outbox.get(messageId);
      const decision = history.decisionById.get(textMember(member(event, 'data'), 'id') ?? '');
      const about = textMember(event, 'subject') ?? messageId;
      findings.expect(
        row !== undefined && decision !== undefined,
        about,
        'an event arrived that the database does not hold',
      );
      if (row === undefined || decision === undefined) continue;
      findings.expect(
        textMember(event, 'id') === row.id &&
          routingKey === row.routingKey &&
          routingKey === `decision.${decision.outcome}`,
        about,
        `an event arrived as ${routingKey}, decided was ${decision.outcome}`,
      );
    }
    return findings;
  },
};

/** The path and query: a proxy between may change host and port. */
function sameAddress(wanted: string | null | undefined, url: string): boolean {
  if (wanted == null) return false;
  const path = (text: string) => {
    const parsedUrl = new URL(text, 'http://sink.invalid');
    return `${parsedUrl.pathname}${parsedUrl.search}`;
  };
  return path(wanted) === path(url);
}
