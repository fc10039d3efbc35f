import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProviderQueues, type ProviderLimits } from './provider-queues.js';

const wide: ProviderLimits = { maxInFlight: 1000, maxInFlightPerProvider: 1000, pollsPerSecondPerProvider: 100_000 };

/** Queues that hold `counts[provider]` polls each; entry numbers tell the provider: 100–199 are a's, 200–299 b's … */
function queuesOf(counts: Record<string, number>, limits: Partial<ProviderLimits> = {}) {
  const queues = new ProviderQueues({ ...wide, ...limits });
  Object.entries(counts).forEach(([id, count], provider) => {
    for (let i = 0; i < count; i++) {
      queues.join(id);
      queues.enqueue(id, 100 * (provider + 1) + i, 0);
    }
  });
  return queues;
}

/** All that may go out now, as provider letters. */
function served(queues: ProviderQueues, nowMs: number): string {
  const letters: string[] = [];
  for (let turn = queues.next(nowMs); turn !== null; turn = queues.next(nowMs)) {
    letters.push('?abcdef'[Math.floor(turn.index / 100)]!);
  }
  return letters.join('');
}

const answered = { kind: 'answered' } as const;
const failed = { kind: 'failed' } as const;

describe('provider queues', () => {
  it('serve the providers in turn, whatever the length of their queues', () => {
    expect(served(queuesOf({ a: 5, b: 2, c: 1 }), 0)).toBe('abcabaaa');
  });

  it('serve each provider first come, first served, and tell how late', () => {
    const queues = new ProviderQueues(wide);
    queues.enqueue('a', 4, 1000);
    queues.enqueue('a', 2, 1010);
    expect(queues.next(1020)).toEqual({ index: 4, latenessMs: 20 });
    expect(queues.next(1020)).toEqual({ index: 2, latenessMs: 10 });
    expect(queues.next(1020)).toBeNull();
  });

  it('hold up nobody else when one provider has all it may have in flight', () => {
    const queues = queuesOf({ a: 10, b: 3 }, { maxInFlightPerProvider: 2 });
    expect(served(queues, 0)).toBe('abab');
    queues.finished('b', answered, 10);
    expect(served(queues, 10)).toBe('b');
    expect(queues.nextMs(10)).toBeNull();
  });

  it('share what may be in flight altogether', () => {
    const queues = queuesOf({ a: 10, b: 10 }, { maxInFlight: 4 });
    expect(served(queues, 0)).toBe('abab');
    expect(queues.nextMs(0)).toBeNull();
    queues.finished('a', answered, 5);
    expect(served(queues, 5)).toBe('a');
  });

  it('keep the rate of each provider, and say when it is worth coming back', () => {
    const queues = queuesOf({ a: 4 }, { pollsPerSecondPerProvider: 10 });
    expect(served(queues, 1000)).toBe('a');
    expect(queues.nextMs(1000)).toBe(1100);
    expect(served(queues, 1099)).toBe('');
    expect(served(queues, 1101)).toBe('a');
  });

  it('let a high rate through in lots, and lose nothing of it by being asked in between', () => {
    const queues = queuesOf({ a: 99 }, { pollsPerSecondPerProvider: 2000, maxInFlight: 2000 });
    expect(served(queues, 1000)).toHaveLength(99);
    for (let index = 0; index < 500; index++) queues.enqueue('b', 200 + index, 0);
    expect(served(queues, 1001)).toHaveLength(200);
    expect(served(queues, 1003)).toBe('');
    expect(queues.nextMs(1003)).toBe(1006);
    expect(served(queues, 1006)).toHaveLength(10);
    expect(served(queues, 1010)).toBe('');
    expect(served(queues, 1013)).toHaveLength(14);
  });

  it('pass no more than the rate and its burst, however often they are asked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 }), (pauses) => {
        const queues = queuesOf({ a: 90 }, { pollsPerSecondPerProvider: 50 });
        let nowMs = 0;
        let sent = served(queues, nowMs).length;
        for (const pause of pauses) {
          nowMs += pause;
          sent += served(queues, nowMs).length;
        }
        expect(sent).toBeLessThanOrEqual(5 + nowMs / 20 + 1);
      }),
    );
  });

  it('stretch everybody’s spacing alike when the rate does not suffice', () => {
    const queues = queuesOf({ a: 100, b: 1 }, { pollsPerSecondPerProvider: 10 });
    expect(queues.spacingMs('a', 5000)).toBe(10_000);
    expect(queues.spacingMs('a', 12_000)).toBe(12_000);
    expect(queues.spacingMs('b', 5000)).toBe(5000);
    queues.leave('a');
    expect(queues.spacingMs('a', 5000)).toBe(9900);
  });

  it('try a provider that is down once a second, and go on as soon as it answers', () => {
    const queues = queuesOf({ a: 9, b: 1 }, { maxInFlightPerProvider: 5 });
    expect(served(queues, 0)).toBe('abaaaa');
    for (let i = 0; i < 5; i++) queues.finished('a', failed, 10);
    expect(queues.down()).toEqual(['a']);
    expect(served(queues, 1009)).toBe('');
    expect(queues.nextMs(1009)).toBe(1010);
    expect(served(queues, 1010)).toBe('a');
    expect(served(queues, 2000)).toBe('');
    queues.finished('a', answered, 2000);
    expect(queues.down()).toEqual([]);
    expect(served(queues, 2010)).toBe('aaa');
  });

  it('give a provider the pause that it asks for, a minute at most (R63)', () => {
    const queues = queuesOf({ a: 3, b: 3 }, { maxInFlightPerProvider: 1 });
    expect(served(queues, 0)).toBe('ab');
    queues.finished('a', { kind: 'throttled', forMs: 20_000 }, 100);
    queues.finished('b', { kind: 'throttled', forMs: 3_600_000 }, 100);
    expect(served(queues, 20_099)).toBe('');
    expect(served(queues, 20_100)).toBe('a');
    expect(served(queues, 60_100)).toBe('b');
  });

  it('forget a poll that is not wanted any more', () => {
    const queues = queuesOf({ a: 1, b: 2 });
    queues.remove(100);
    queues.remove(100);
    queues.remove(200);
    expect(served(queues, 0)).toBe('b');
    expect(queues.nextMs(0)).toBeNull();
  });

  it('give back the place of a poll that was not sent', () => {
    const queues = queuesOf({ a: 2 }, { maxInFlight: 1 });
    expect(served(queues, 0)).toBe('a');
    queues.returned('a');
    expect(served(queues, 0)).toBe('a');
    expect(queues.inFlight).toBe(1);
  });

  it('spend neither the rate nor the trial of a provider on a poll that was not sent (R62)', () => {
    const unasked = { kind: 'unasked' } as const;
    const busy = queuesOf({ a: 3 }, { pollsPerSecondPerProvider: 1 });
    expect(served(busy, 0)).toBe('a');
    busy.finished('a', unasked, 0);
    expect(served(busy, 0)).toBe('a');
    busy.finished('a', answered, 1);
    expect(served(busy, 1)).toBe('');

    const down = queuesOf({ a: 9 }, { maxInFlightPerProvider: 5 });
    expect(served(down, 0)).toBe('aaaaa');
    for (let i = 0; i < 5; i++) down.finished('a', failed, 10);
    expect(served(down, 1010)).toBe('a');
    down.finished('a', unasked, 1020);
    expect(served(down, 1020)).toBe('a');
    down.finished('a', failed, 1030);
    expect(served(down, 1030)).toBe('');
    expect(served(down, 2020)).toBe('a');
  });

  it('keep the pause that a provider asked for while a poll was not sent after all', () => {
    const queues = queuesOf({ a: 10 }, { maxInFlightPerProvider: 5 });
    expect(served(queues, 0)).toBe('aaaaa');
    for (let i = 0; i < 4; i++) queues.finished('a', failed, 10);
    expect(served(queues, 20)).toBe('aaaa');
    queues.finished('a', failed, 30);
    queues.finished('a', { kind: 'throttled', forMs: 20_000 }, 40);
    queues.returned('a');
    expect(served(queues, 20_000)).toBe('');
    expect(served(queues, 20_040)).toBe('a');
  });

  it('never let a provider with work wait for more than one turn of each other', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(lengths, (counts) => {
        const queues = queuesOf(Object.fromEntries(counts.map((count, i) => ['abcdef'[i]!, count])));
        const order = served(queues, 0);
        const left = new Map(counts.map((count, i) => ['abcdef'[i]!, count]));
        const waited = new Map<string, number>();
        for (const letter of order) {
          for (const [other, count] of left) {
            if (other !== letter && count > 0) waited.set(other, (waited.get(other) ?? 0) + 1);
          }
          expect(waited.get(letter) ?? 0).toBeLessThan(counts.length);
          waited.set(letter, 0);
          left.set(letter, left.get(letter)! - 1);
        }
        expect([...left.values()].every((count) => count === 0)).toBe(true);
      }),
    );
  });
});
