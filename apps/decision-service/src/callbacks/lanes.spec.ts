import { describe, expect, it } from '@jest/globals';
import { Lanes } from './lanes.js';

interface Job {
  readonly target: string;
  readonly name: string;
}
const job = (target: string, number: number): Job => ({ target, name: `${target}${number}` });

/** Lanes whose jobs end when the test says so. */
function stage(perTarget: number) {
  const started: string[] = [];
  const enders = new Map<string, () => void>();
  const lanes = new Lanes<Job>(perTarget, ({ name }) => {
    started.push(name);
    return new Promise((resolve) => enders.set(name, resolve));
  });
  const end = async (name: string): Promise<void> => {
    enders.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lanes, started, end };
}

describe('lanes', () => {
  it('run so many of a target at a time, the rest in turn', async () => {
    const { lanes, started, end } = stage(2);
    for (const number of [1, 2, 3, 4]) lanes.add(job('a', number));
    expect(started).toEqual(['a1', 'a2']);

    await end('a2');
    expect(started).toEqual(['a1', 'a2', 'a3']);
    await end('a1');
    expect(started).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(lanes.size).toBe(2);
  });

  it('let other targets pass one that hangs', async () => {
    const { lanes, started, end } = stage(1);
    lanes.add(job('hung', 1));
    lanes.add(job('hung', 2));
    for (const number of [1, 2, 3]) {
      lanes.add(job('well', number));
      await end(`well${number}`);
    }

    expect(started).toEqual(['hung1', 'well1', 'well2', 'well3']);
    expect(lanes.size).toBe(2);
  });

  it('name the targets that have enough', async () => {
    const { lanes, end } = stage(2);
    lanes.add(job('a', 1));
    lanes.add(job('b', 1));
    lanes.add(job('b', 2));
    lanes.add(job('b', 3));
    expect(lanes.full()).toEqual(['b']);

    await end('b1');
    expect(lanes.full()).toEqual(['b']);
    await end('b2');
    expect(lanes.full()).toEqual([]);
  });

  it('are idle when the last one has ended, and at once when there is none', async () => {
    const { lanes, end } = stage(1);
    await lanes.idle();
    lanes.add(job('a', 1));
    lanes.add(job('a', 2));
    let idle = false;
    const waiting = lanes.idle().then(() => (idle = true));

    await end('a1');
    expect(idle).toBe(false);
    await end('a2');
    await waiting;
    expect([idle, lanes.size, lanes.full()]).toEqual([true, 0, []]);
  });
});
