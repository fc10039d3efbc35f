import { describe, expect, it } from '@jest/globals';
import { exploreAll, onLanes } from './explore.js';
import { commandNames, entryOf } from './commands.js';
import { everyPair, type Meeting } from './plan.js';
import type { MeetingResult } from './meet.js';
import { randomTriples } from './triples.js';
import { seededDefects } from './seeded-defects.js';
import { states } from './states.js';

const limitMs = 600_000;

/** All meetings take some ten minutes: `npm run interleavings` has them all, this suite every twentieth. */
const share = 20;
/** Pairs of commands on a real Postgres, in every order of their statements. */
describe('two commands that meet', () => {
  it(
    'leave what the rules demand, in every order there is',
    async () => {
      const meetings = everyPair().filter((_meeting, index) => index % share === 0);
      const results = await exploreAll(meetings, 8);
      console.log(summary(results));
      expect(results.flatMap(({ violations }) => violations)).toEqual([]);
      // Nothing was left out, and nothing counted twice.
      expect(results.filter(({ complete }) => !complete)).toEqual([]);
      const counted = results.filter(({ byFormula }) => byFormula !== null);
      expect(counted.map(({ runs }) => runs)).toEqual(counted.map(({ byFormula }) => byFormula));
      expect(sum(results, ({ runs }) => runs)).toBeGreaterThanOrEqual(meetings.length * 2);
      // Locks were waited for, or half of the plan would say nothing.
      expect(sum(results, ({ waited }) => waited)).toBeGreaterThanOrEqual(meetings.length);
    },
    limitMs,
  );

  it('are all of them, in every state in which both can arrive', () => {
    const met = new Set(everyPair().map(({ state, names }) => `${state} ${[...names].sort().join(' ')}`));
    for (const state of states) {
      const here = commandNames.filter((name) => entryOf(name).from.includes(state));
      const expected = here.flatMap((first) => here.map((second) => [first, second].sort().join(' ')));
      // A request is notified by ping or by push, never by both.
      const possible = new Set(expected.filter((pair) => pair !== 'ping push'));
      expect([...met].filter((meeting) => meeting.startsWith(`${state} `))).toHaveLength(possible.size);
    }
  });
});

it(
  'three commands that meet leave what the rules demand, in a random order',
  async () => {
    const violations = await onLanes(2, randomTriples(20, 1), (place, triple) => place.randomOrder(triple), {
      processes: 3,
    });
    expect(violations.filter((violation) => violation !== null)).toEqual([]);
  },
  limitMs,
);

/** The tests bite: each wrong statement is found, by the rule that it breaks. */
describe('a wrong statement is found', () => {
  it.each(seededDefects)(
    '$name',
    async ({ defects, meeting, caught }) => {
      const [result] = await onLanes(1, [meeting], (place) => place.everyOrder(meeting, true), { defects });
      expect(result!.violations[0]?.problems.join('\n') ?? 'nothing').toMatch(caught);
    },
    limitMs,
  );
});

const sum = (results: readonly MeetingResult[], of: (result: MeetingResult) => number): number =>
  results.reduce((total, result) => total + of(result), 0);

/** What was run, by state and lock. */
function summary(results: readonly MeetingResult[]): string {
  const kinds = new Map<string, MeetingResult[]>();
  const kindOf = ({ state, lock }: Meeting) => `${state.padEnd(10)} ${lock === 'none' ? 'no lock' : `${lock} locked`}`;
  for (const result of results) {
    const kind = kindOf(result.meeting);
    kinds.set(kind, [...(kinds.get(kind) ?? []), result]);
  }
  const line = (name: string, of: readonly MeetingResult[]) => {
    const met = of.filter(({ runs }) => runs > 0).length;
    const waited = sum(of, (result) => result.waited);
    return `${name.padEnd(26)} ${met} meetings, ${sum(of, ({ runs }) => runs)} runs, ${waited} with a wait for a lock`;
  };
  return [...[...kinds].map(([kind, of]) => line(kind, of)), line('in all', results)].join('\n');
}
