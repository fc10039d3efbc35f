import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TimingWheel } from './timing-wheel.js';

const tickMs = 5;

function wheelAt(startMs = 0) {
  const wheel = new TimingWheel({ startMs, tickMs, slots: 32 });
  const advance = (nowMs: number) => {
    const fired: number[] = [];
    wheel.advance(nowMs, (key) => fired.push(key));
    return fired;
  };
  return { wheel, advance };
}

describe('a timing wheel', () => {
  it('fires a key once, at the first tick that is not before its moment', () => {
    const { wheel, advance } = wheelAt(1000);
    wheel.arm(7, 1012);
    expect(advance(1011)).toEqual([]);
    expect(advance(1014.9)).toEqual([]);
    expect(advance(1015)).toEqual([7]);
    expect(advance(5000)).toEqual([]);
  });

  it('tells each key’s own moment, however late it is asked', () => {
    const { wheel } = wheelAt();
    wheel.arm(1, 10);
    wheel.arm(2, 47);
    const fired: [number, number][] = [];
    wheel.advance(100, (key, dueMs) => fired.push([key, dueMs]));
    expect(fired).toEqual([
      [1, 10],
      [2, 50],
    ]);
  });

  it('fires a moment that has already passed at the next tick', () => {
    const { wheel, advance } = wheelAt(1000);
    wheel.arm(1, 3);
    expect(advance(1004)).toEqual([]);
    expect(advance(1005)).toEqual([1]);
  });

  it('moves a key that is armed again, and forgets one that is disarmed', () => {
    const { wheel, advance } = wheelAt();
    wheel.arm(1, 10);
    wheel.arm(2, 10);
    wheel.arm(1, 50);
    wheel.disarm(2);
    expect(wheel.size).toBe(1);
    expect(advance(49)).toEqual([]);
    expect(advance(50)).toEqual([1]);
  });

  it('keeps keys of later rounds although they share a slot with earlier ones', () => {
    const { wheel, advance } = wheelAt();
    const roundMs = 32 * tickMs;
    wheel.arm(1, 20 + 2 * roundMs);
    wheel.arm(2, 20);
    wheel.arm(3, 20 + roundMs);
    expect(advance(20)).toEqual([2]);
    expect(advance(20 + roundMs)).toEqual([3]);
    expect(advance(20 + 2 * roundMs)).toEqual([1]);
  });

  it('lets a callback disarm a key that would fire right after it', () => {
    const { wheel } = wheelAt();
    const fired: number[] = [];
    wheel.arm(1, 10);
    wheel.arm(2, 10);
    wheel.advance(10, (key) => {
      fired.push(key);
      wheel.disarm(2);
    });
    expect(fired).toEqual([1]);
    expect(wheel.size).toBe(0);
  });

  it('lets a callback arm its own key again without firing it twice in one tick', () => {
    const { wheel, advance } = wheelAt();
    wheel.arm(1, 10);
    wheel.advance(10, (key) => wheel.arm(key, 10));
    expect(wheel.nextMs()).toBe(15);
    expect(advance(15)).toEqual([1]);
  });

  it('has nothing to wait for when it is empty', () => {
    const { wheel, advance } = wheelAt();
    expect(wheel.nextMs()).toBeNull();
    wheel.arm(1, 10);
    advance(10);
    expect(wheel.nextMs()).toBeNull();
  });

  it('fires everything that came due during a pause of many rounds', () => {
    const { wheel, advance } = wheelAt();
    const moments = [5, 80, 400, 4000, 9_999, 10_001];
    moments.forEach((atMs, key) => wheel.arm(key, atMs));
    expect(advance(10_000).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(advance(10_005)).toEqual([5]);
  });

  type Act = { readonly do: 'arm' | 'disarm' | 'advance'; readonly key: number; readonly ms: number };
  const act: fc.Arbitrary<Act> = fc.record({
    do: fc.constantFrom('arm', 'arm', 'disarm', 'advance'),
    key: fc.nat(40),
    ms: fc.integer({ min: -50, max: 2000 }),
  });

  it('agrees with a plain list of moments, whatever is armed, moved, disarmed and however time jumps', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 120 }), fc.integer({ min: 0, max: 1_000_000 }), (acts, startMs) => {
        const { wheel, advance } = wheelAt(startMs);
        const model = new Map<number, number>();
        let nowMs = startMs;
        for (const { do: what, key, ms } of acts) {
          if (what === 'arm') {
            wheel.arm(key, nowMs + ms);
            // What is overdue waits for the next tick.
            model.set(key, Math.max(Math.ceil((nowMs + ms) / tickMs), Math.floor(nowMs / tickMs) + 1) * tickMs);
          } else if (what === 'disarm') {
            wheel.disarm(key);
            model.delete(key);
          } else {
            nowMs += Math.abs(ms);
            const due = [...model].filter(([, atMs]) => atMs <= nowMs).map(([each]) => each);
            expect(advance(nowMs).sort()).toEqual(due.sort());
            due.forEach((each) => model.delete(each));
          }
          expect(wheel.size).toBe(model.size);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never says to come back later than the next moment', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 30 }), (moments) => {
        const { wheel, advance } = wheelAt();
        moments.forEach((atMs, key) => wheel.arm(key, atMs));
        const fired: number[] = [];
        for (let nextMs = wheel.nextMs(); nextMs !== null; nextMs = wheel.nextMs()) {
          const before = fired.length;
          for (const key of advance(nextMs)) {
            expect(nextMs - moments[key]!).toBeGreaterThanOrEqual(0);
            expect(nextMs - moments[key]!).toBeLessThan(tickMs);
            fired.push(key);
          }
          expect(wheel.size).toBe(moments.length - fired.length);
          expect(fired.length).toBeGreaterThanOrEqual(before);
        }
        expect(fired.length).toBe(moments.length);
      }),
      { numRuns: 200 },
    );
  });
});
