/** Every order of events in small worlds, over the functions that production decides with (docs/explorer.md). */
import { describe, expect, it } from '@jest/globals';
import { everyRun } from './scenarios.js';
import { explore, traceOf, type Exploration } from './search.js';
import { seededBugs } from './seeded-bugs.js';

const timeoutMs = 300_000;
const explored: Exploration[] = [];

describe('the protocol', () => {
  it.each(everyRun)(
    'holds, and never gets stuck: $name',
    ({ bounds }) => {
      const exploration = explore(bounds);
      explored.push(exploration);
      expect(exploration.violation && traceOf(exploration.violation)).toBeNull();
      expect(exploration.isComplete).toBe(true);
    },
    timeoutMs,
  );

  it('was looked at in 150 000 states at least, and in every rare one', () => {
    const states = explored.reduce((sum, exploration) => sum + exploration.states, 0);
    const reached = new Set(explored.flatMap((exploration) => [...exploration.reached.keys()]));
    expect(states).toBeGreaterThanOrEqual(150_000);
    expect([...reached].sort()).toEqual([
      'approved',
      'asked twice',
      'cancelled',
      'consumed',
      'decided',
      'denied',
      'expired',
      'failed',
      'held answer',
      'late evidence',
      'taken over',
      'taken over unclean',
    ]);
  });
});

describe('a seeded bug', () => {
  it('is there at least 24 times, each under a name of its own', () => {
    expect(new Set(seededBugs.map(({ name }) => name)).size).toBeGreaterThanOrEqual(24);
    expect(new Set(seededBugs.map(({ name }) => name)).size).toBe(seededBugs.length);
  });

  it.each(seededBugs)(
    'is found: $name',
    ({ bounds, protocol, breaks }) => {
      const { violation } = explore(bounds, { protocol });
      expect(violation?.invariant).toMatch(new RegExp(`^${breaks}`));
      expect(violation!.trace.length).toBeGreaterThan(0);
    },
    timeoutMs,
  );
});
