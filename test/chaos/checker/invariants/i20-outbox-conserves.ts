import { outcomes } from '../database-rows.js';
import { textMember } from '../calls.js';
import { groupBy } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';

/** The event that an entry of the timeline tells of; none for what tells nobody. */
function eventOf(type: string, detail: Readonly<Record<string, unknown>>): string | null {
  if (type === 'requested' || type === 'initiated' || outcomes.includes(type)) return `authorization.${type}`;
  if (type === 'pinged' || type === 'pushed') return 'authorization.pinged';
  if (type === 'decided') return `decision.${String(detail['outcome'])}`;
  return null;
}

/** I20. Each change has its event, and no event is without its change; when the run is over, all have been published. */
export const outboxConserves: Invariant = {
  id: 'I20',
  claim: 'one event per change, and every event published',
  judge: (history) => {
    const findings = new Findings();
    const told = groupBy(history.outbox, ({ event }) => textMember(event, 'subject') ?? '');
    for (const row of history.requests.values()) {
      const due = (history.timelines.get(row.id) ?? []).flatMap(({ type, detail }) => eventOf(type, detail) ?? []);
      const stored = (told.get(row.id) ?? []).map(({ routingKey }) => routingKey);
      findings.expect(
        due.sort().join() === stored.sort().join(),
        row.id,
        `the changes call for [${due.join()}], the outbox has [${stored.join()}]`,
      );
    }
    for (const { id, event, routingKey, publishedAtMs } of history.outbox) {
      const about = textMember(event, 'subject') ?? id;
      findings.expect(publishedAtMs !== null, about, `${routingKey} was never published`);
      findings.expect(history.requests.has(about), about, `${routingKey} tells of no request`);
      findings.expect(event.id === id, about, 'an event bears another id than its row');
    }
    return findings;
  },
};
