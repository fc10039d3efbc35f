import { textMember } from '../calls.js';
import { groupBy } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';

/** Entries of a timeline that stand for a change of the row, and so for a version. */
const changes: ReadonlySet<string> = new Set([
  'requested',
  'initiated',
  'reworded',
  'approved',
  'denied',
  'expired',
  'cancelled',
  'failed',
  'decided',
  'consumed',
]);

/** I19. The version of a request grows by one with each change on its timeline, and no event shows one that never was. */
export const versionsGrow: Invariant = {
  id: 'I19',
  claim: 'versions grow with each change, and no event shows one that never was',
  judge: (history) => {
    const findings = new Findings();
    const facts = groupBy(
      history.outbox.filter(({ routingKey }) => routingKey.startsWith('authorization.')),
      ({ event }) => textMember(event, 'subject') ?? '',
    );
    for (const row of history.requests.values()) {
      const counted = (history.timelines.get(row.id) ?? []).filter(({ type }) => changes.has(type)).length;
      findings.expect(
        row.stateVersion === counted,
        row.id,
        `the row has version ${row.stateVersion}, its timeline ${counted} changes`,
      );
      const told = (facts.get(row.id) ?? [])
        .filter(({ routingKey }) => routingKey !== 'authorization.pinged')
        .map(({ event }) => ({
          atMs: Date.parse(textMember(event, 'time') ?? ''),
          version: Number(event.data?.['stateVersion']),
        }))
        .sort((one, other) => one.version - other.version);
      told.forEach(({ atMs, version }, index) => {
        findings.expect(
          version <= row.stateVersion,
          row.id,
          `an event shows version ${version}, the row is at ${row.stateVersion}`,
        );
        const before = told[index - 1];
        findings.expect(
          before === undefined || (version > before.version && atMs >= before.atMs),
          row.id,
          `two events show version ${version}, or a later one an earlier version`,
        );
      });
    }
    return findings;
  },
};
