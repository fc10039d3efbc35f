import { describe, expect, it } from '@jest/globals';
import { Lanes, type LaneLimits } from './lanes.js';

interface Job {
  readonly target: string;
  readonly name: string;
}
const job = (target: string, number: number): Job => ({ target, name: `${target}${number}` });

/** Lanes whose jobs end when the test says so. */
function stage(perTarget: number, more: Partial<LaneLimits> = {}) {
  const started: string[] = [];
  const enders = new Map<string, () => void>();
  const timers: (() => void)[] = [];
  const limits = { perTarget, prompt: 10, slow: 10, slowAfterMs: 1000, ...more };
  const cutOff: string[] = [];
  const lanes = new Lanes<Job>(
    limits,
    ({ name }, signal) => {
      started.push(name);
      return new Promise((resolve) => {
        enders.set(name, resolve);
        signal.addEventListener('abort', () => {
          cutOff.push(name);
          resolve();
        });
      });
    },
    (_, call) => {
      timers.push(call);
      return () => void timers.splice(timers.indexOf(call), 1);
    },
  );
  /** The time after which work counts as slow has passed for all that runs. */
  const aWhileLater = async (): Promise<void> => {
    for (const call of timers.splice(0)) call();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const end = async (name: string): Promise<void> => {
    enders.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lanes, started, end, aWhileLater, cutOff };
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

  it('hold a place that only its holder uses, where work would run at once', async () => {
    const { lanes, started, end } = stage(2, { prompt: 3 });
    const place = lanes.hold('a')!;
    lanes.add(job('a', 2));
    lanes.add(job('a', 3));
    expect(started).toEqual(['a2']);
    expect(lanes.hold('a')).toBeNull();
    place.run(job('a', 1));
    expect(started).toEqual(['a2', 'a1']);
    expect(lanes.hold('a')).toBeNull();

    await end('a1');
    expect(started).toEqual(['a2', 'a1', 'a3']);
    expect(lanes.hold('b')).not.toBeNull();
    expect([lanes.room, lanes.hold('c')]).toEqual([0, null]);
  });

  it('give a place that was not needed to whoever waits, and are idle when none is held', async () => {
    const { lanes, started, end } = stage(1);
    const place = lanes.hold('a')!;
    lanes.add(job('a', 1));
    expect(started).toEqual([]);
    place.free();
    expect(started).toEqual(['a1']);
    await end('a1');

    const other = lanes.hold('b')!;
    expect(lanes.size).toBe(1);
    const idle = lanes.idle();
    other.free();
    await idle;
    expect([lanes.size, lanes.full()]).toEqual([0, []]);
  });

  it('hold none where something is slow', async () => {
    const { lanes, aWhileLater } = stage(2);
    lanes.add(job('a', 1));
    await aWhileLater();
    expect(lanes.hold('a')).toBeNull();
    expect(lanes.hold('b')).not.toBeNull();
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

  it('have the next ones of a target at hand, if they may', async () => {
    const { lanes, started, end } = stage(1, { waitingPerTarget: 1 });
    lanes.add(job('a', 1));
    expect(lanes.full()).toEqual([]);
    lanes.add(job('a', 2));
    expect([lanes.full(), started, lanes.room]).toEqual([['a'], ['a1'], 8]);

    await end('a1');
    expect([lanes.full(), started]).toEqual([[], ['a1', 'a2']]);
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

  it('have room again for the others when those who hold the places turn out to be slow', async () => {
    const { lanes, started, aWhileLater } = stage(2, { prompt: 4 });
    for (const target of ['hung', 'stuck']) for (const number of [1, 2]) lanes.add(job(target, number));
    expect(lanes.room).toBe(0);

    await aWhileLater();
    expect(lanes.room).toBe(4);
    // Who is slow gets nothing more, also with a hand free.
    expect(lanes.full()).toEqual(['hung', 'stuck']);
    lanes.add(job('well', 1));
    expect(started).toEqual(['hung1', 'hung2', 'stuck1', 'stuck2', 'well1']);
    expect(lanes.room).toBe(3);
  });

  it('count what waits for its turn as a place taken, unless it waits for a slow one of its own', async () => {
    const { lanes, aWhileLater } = stage(1, { prompt: 4 });
    for (const number of [1, 2, 3]) lanes.add(job('hung', number));
    expect(lanes.room).toBe(1);
    await aWhileLater();
    expect(lanes.room).toBe(4);
  });

  it('cut off the one that has taken longest when too many are slow', async () => {
    const { lanes, started, aWhileLater, cutOff } = stage(1, { prompt: 2, slow: 3 });
    // However many hang, two at a time: each gets a place after a while at the latest.
    for (let number = 1; number <= 9; number += 2) {
      lanes.add(job(`hung-${number}-`, 1));
      lanes.add(job(`hung-${number + 1}-`, 1));
      expect(lanes.room).toBe(0);
      await aWhileLater();
      expect(lanes.room).toBe(2);
    }
    expect(started).toHaveLength(10);
    expect(cutOff).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => `hung-${number}-1`));
    expect(lanes.size).toBe(3);
  });

  it('forget a slow one when it has ended after all', async () => {
    const { lanes, end, aWhileLater } = stage(1);
    lanes.add(job('late', 1));
    await aWhileLater();
    await end('late1');
    expect([lanes.full(), lanes.room, lanes.size]).toEqual([[], 10, 0]);
  });
});
