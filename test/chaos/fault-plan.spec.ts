import { describe, expect, it } from '@jest/globals';
import { faultKinds, planFaults } from './fault-plan.js';
import { planRequest } from './request-plan.js';

const full = { faults: 300, wipes: 2, overMs: 900_000 };

describe('the plan of a run', () => {
  it('follows from its seed', () => {
    expect(planFaults({ seed: 7, ...full })).toEqual(planFaults({ seed: 7, ...full }));
    expect(planFaults({ seed: 7, ...full })).not.toEqual(planFaults({ seed: 8, ...full }));
    expect(planRequest(7, 100, 0, 'x')).toEqual(planRequest(7, 100, 0, 'x'));
  });

  it.each([1, 2, 3])('has every kind of fault, and as many kills as are promised (seed %d)', (seed) => {
    const faults = planFaults({ seed, ...full });
    const times = (kind: string): number => faults.filter((fault) => fault.kind === kind).length;
    expect(faults).toHaveLength(300);
    expect(faultKinds.filter((kind) => times(kind) === 0)).toEqual([]);
    expect(times('kill')).toBeGreaterThanOrEqual(50);
    expect(times('kill-postgres')).toBeGreaterThanOrEqual(20);
    expect(times('kill-broker')).toBeGreaterThanOrEqual(10);
    expect(times('stop')).toBeGreaterThanOrEqual(20);
    expect(times('wipe-broker')).toBe(2);
  });

  it('comes in the order of time and leaves the broker time to come back', () => {
    const faults = planFaults({ seed: 1, ...full });
    expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).sort((one, other) => one - other));
    const broker = faults.filter(({ target }) => target === 'broker').map(({ atMs }) => atMs);
    const gaps = broker.slice(1).map((atMs, at) => atMs - broker[at]!);
    expect(Math.min(...gaps)).toBeGreaterThan(15_000);
  });

  it('has one of each essential kind when it is short', () => {
    const kinds = new Set(planFaults({ seed: 1, faults: 15, wipes: 0, overMs: 30_000 }).map(({ kind }) => kind));
    for (const kind of ['kill', 'stop', 'kill-postgres', 'kill-broker', 'drop-commit-reply', 'drop-token-reply']) {
      expect(kinds).toContain(kind);
    }
  });
});
