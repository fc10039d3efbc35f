import type { DecisionRow, DeliveryRow } from '../database-rows.js';
import { member, textMember } from '../calls.js';
import { groupBy, type History } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';
import { parsed } from './i15-one-decision.js';

/** How long a message may lie in a subscriber's queue before it is taken. */
const lyingMs = 5_000;

/**
 * I16. Every decision reaches each endpoint that wants it, the callback that was asked for, and each subscriber's queue,
 * at least once; or its delivery ends as exhausted, with an alarm. What a subscriber's queue held when the broker lost
 * its disk is lost with it: that is said, and counted.
 */
export const everyDecisionArrives: Invariant = {
  id: 'I16',
  claim: 'every decision arrives at every subscriber, or its delivery is visibly given up',
  judge: (history) => {
    const findings = new Findings();
    const arrivals = arrivalsOf(history);
    const byDecision = groupBy(history.deliveries, ({ decisionId }) => decisionId);
    const alarmed = alarmedDeliveries(history);
    for (const decision of history.decisions) {
      const deliveries = byDecision.get(decision.id) ?? [];
      for (const { id, events } of history.run.webhookEndpoints) {
        if (!events.includes(`decision.${decision.outcome}`)) continue;
        const mine = deliveries.filter(({ endpointId }) => endpointId === id);
        arrives(decision, mine, `the endpoint ${id}`, `${decision.id} ${id}`, arrivals, alarmed, findings);
      }
      const callbackUrl = history.requests.get(decision.requestId)?.callbackUrl;
      if (callbackUrl != null) {
        const mine = deliveries.filter(({ kind }) => kind === 'callback');
        arrives(decision, mine, 'the callback', `${decision.id} callback`, arrivals, alarmed, findings);
      }
    }
    toSubscribers(history, findings);
    return findings;
  },
};

function arrives(
  { requestId }: DecisionRow,
  deliveries: readonly DeliveryRow[],
  to: string,
  key: string,
  arrivals: ReadonlySet<string>,
  alarmed: (deliveryId: string) => boolean,
  findings: Findings,
): void {
  findings.expect(deliveries.length === 1, requestId, `${deliveries.length} deliveries to ${to}`);
  const delivery = deliveries[0];
  if (delivery === undefined) return;
  if (delivery.state === 'exhausted') {
    return findings.expect(alarmed(delivery.id), requestId, `the delivery to ${to} was given up without an alarm`);
  }
  findings.expect(delivery.state === 'delivered', requestId, `the delivery to ${to} is ${delivery.state}`);
  findings.expect(
    delivery.state !== 'delivered' || arrivals.has(key),
    requestId,
    `delivered to ${to}, and nothing arrived there that was answered with a 2xx`,
  );
}

/** `<webhook-id> <endpoint>` of everything that a sink took and answered with a 2xx. */
function arrivalsOf({ webhooks }: History): Set<string> {
  const taken = webhooks.filter(({ answered }) => answered !== null && answered >= 200 && answered < 300);
  return new Set(taken.map(({ headers, endpointId }) => `${headers['webhook-id']} ${endpointId ?? 'callback'}`));
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Deliveries that were given up, and of which the services' logs tell. */
function alarmedDeliveries({ recorded, deliveries }: History): (deliveryId: string) => boolean {
  const exhausted = new Set(deliveries.filter(({ state }) => state === 'exhausted').map(({ id }) => id));
  const told = new Set<string>();
  const logs = exhausted.size === 0 ? [] : recorded.artefacts.filter(({ name }) => name.startsWith('logs/'));
  for (const log of logs) {
    for (const piece of log.pieces(36)) {
      for (const [id] of piece.toString('latin1').matchAll(uuid)) if (exhausted.has(id)) told.add(id);
    }
  }
  return (deliveryId) => told.has(deliveryId);
}

function toSubscribers(history: History, findings: Findings): void {
  const queues = new Set(history.amqp.map(({ queue }) => queue));
  const got = new Set(
    history.amqp.map(({ queue, body }) => `${queue} ${textMember(member(parsed(body), 'data'), 'id')}`),
  );
  const bound = history.run.amqpBound ?? [{ fromMs: 0, untilMs: null }];
  let wiped = 0;
  for (const row of history.outbox) {
    const decisionId = textMember(row.event.data, 'id');
    if (!row.routingKey.startsWith('decision.') || decisionId === null) continue;
    const lostWithTheDisk = !bound.some(
      ({ fromMs, untilMs }) =>
        row.createdAtMs >= fromMs && (untilMs === null || (row.publishedAtMs ?? Infinity) <= untilMs - lyingMs),
    );
    for (const queue of queues) {
      const arrived = got.has(`${queue} ${decisionId}`);
      if (!arrived && lostWithTheDisk) wiped += 1;
      else
        findings.expect(arrived, textMember(row.event, 'subject') ?? row.id, `nothing arrived in the queue ${queue}`);
    }
  }
  findings.expect(
    queues.size > 0 || history.decisions.length === 0,
    'the run',
    'no subscriber on AMQP got anything at all',
  );
  if (wiped > 0) findings.note(`${wiped} events were lost in subscribers’ queues with the broker’s disk`);
}
