import { beforeEach, describe, expect, it } from '@jest/globals';
import { AgingCache } from './aging-cache.js';

const limits = { refreshAfterMs: 50, maximumAgeMs: 100, rememberFailureMs: 10, maximumSize: 2 };

let nowMs: number;
let loads: number;
let fails: boolean;
let missed: string[];
let cache: AgingCache<number>;

beforeEach(() => {
  nowMs = 0;
  loads = 0;
  fails = false;
  missed = [];
  cache = new AgingCache(
    limits,
    () => nowMs,
    (key) => missed.push(key),
  );
});

const load = async () => {
  loads += 1;
  if (fails) throw new Error(`load ${loads}`);
  return loads;
};

describe('a cached value', () => {
  it('is loaded once for callers at the same time', async () => {
    expect(await Promise.all([cache.get('a', load), cache.get('a', load)])).toEqual([1, 1]);
  });

  it('is given out without a promise while it is young', async () => {
    await cache.get('a', load);
    nowMs = 49;
    expect(cache.get('a', load)).toBe(1);
    expect(loads).toBe(1);
  });

  it('is refreshed in the background before it is too old', async () => {
    await cache.get('a', load);
    nowMs = 50;
    expect(cache.get('a', load)).toBe(1);
    await cache.renew('a', 1, load);
    expect(cache.get('a', load)).toBe(2);
  });

  it('is given out no longer when it is too old', async () => {
    await cache.get('a', load);
    nowMs = 100;
    expect(await cache.get('a', load)).toBe(2);
  });

  it('survives failed refreshes until it is too old, and somebody hears of them', async () => {
    await cache.get('a', load);
    fails = true;
    nowMs = 60;
    expect(cache.get('a', load)).toBe(1);
    await expect(cache.renew('a', 1, load)).rejects.toThrow('load 2');
    expect(missed).toEqual(['a']);
    nowMs = 69;
    expect(cache.get('a', load)).toBe(1);
    expect(loads).toBe(2);
    nowMs = 100;
    await expect(cache.get('a', load)).rejects.toThrow('load 3');
  });

  it('has its failed refreshes told once until one succeeds', async () => {
    await cache.get('a', load);
    for (const [at, isAway] of [
      [60, true],
      [70, true],
      [80, false],
      [140, true],
    ] as const) {
      [nowMs, fails] = [at, isAway];
      void cache.get('a', load);
      await cache.renew('a', 1, load).catch(() => undefined);
    }
    expect(loads).toBe(5);
    expect(missed).toEqual(['a', 'a']);
  });

  it('is renewed on demand, but not when it is young enough', async () => {
    await cache.get('a', load);
    nowMs = 5;
    expect(await cache.renew('a', 6, load)).toBe(1);
    expect(await cache.renew('a', 5, load)).toBe(2);
  });

  it('is forgotten when others are used more', async () => {
    await cache.get('a', load);
    await cache.get('b', load);
    await cache.get('a', load);
    await cache.get('c', load);
    expect(await cache.get('a', load)).toBe(1);
    expect(await cache.get('b', load)).toBe(4);
  });
});

describe('a failure', () => {
  it('is not repeated at once, and not remembered for long', async () => {
    fails = true;
    await expect(cache.get('a', load)).rejects.toThrow('load 1');
    nowMs = 9;
    await expect(cache.get('a', load)).rejects.toThrow('load 1');
    nowMs = 10;
    fails = false;
    expect(await cache.get('a', load)).toBe(2);
  });
});
