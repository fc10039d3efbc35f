import { groupBy } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';

/** I21. An event has its effect once per consumer, however often it arrives: no inbox entry twice, none of no event. */
export const eventsCountOnce: Invariant = {
  id: 'I21',
  claim: 'an event has its effect once per consumer',
  judge: (history) => {
    const findings = new Findings();
    const events = new Set(history.outbox.map(({ id }) => id));
    for (const [key, rows] of groupBy(history.inbox, ({ consumer, eventId }) => `${consumer} ${eventId}`)) {
      findings.expect(rows.length === 1, key, `an effect is on record ${rows.length} times`);
      findings.expect(events.has(rows[0]!.eventId), key, 'an effect of an event that was never written');
    }
    const subjects = new Map(history.outbox.map(({ id, event }) => [id, String(event.subject)]));
    for (const [consumer, rows] of groupBy(history.inbox, (row) => row.consumer)) {
      for (const [request, effects] of groupBy(rows, ({ eventId }) => subjects.get(eventId) ?? '')) {
        findings.expect(effects.length === 1, request, `${consumer} had ${effects.length} effects on one request`);
      }
    }
    const redelivered =
      history.amqp.length - new Set(history.amqp.map(({ queue, messageId }) => `${queue} ${messageId}`)).size;
    if (redelivered > 0) findings.note(`${redelivered} events arrived more than once, and were told apart by their id`);
    return findings;
  },
};
