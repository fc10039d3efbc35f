import { describe, expect, it } from '@jest/globals';
import { ShortCache } from './short-cache.js';

function counted(maxEntries = 10) {
  let nowMs = 0;
  let loads = 0;
  const cache = new ShortCache<string>({ ttlMs: 1_000, maxEntries, nowMs: () => nowMs });
  return {
    cache,
    ask: (key: string, value: string | null = key) =>
      cache.get(key, () => {
        loads++;
        return Promise.resolve(value);
      }),
    pass: (ms: number) => (nowMs += ms),
    loads: () => loads,
  };
}

describe('the short cache', () => {
  it('asks once within its time, and again after it', async () => {
    const { ask, pass, loads } = counted();
    await Promise.all([ask('a'), ask('a')]);
    pass(999);
    expect(await ask('a')).toBe('a');
    expect(loads()).toBe(1);
    pass(1);
    await ask('a');
    expect(loads()).toBe(2);
  });

  it('remembers neither absence nor failure', async () => {
    const { cache, ask, loads } = counted();
    expect(await ask('a', null)).toBeNull();
    expect(await ask('a')).toBe('a');
    await expect(cache.get('b', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await ask('b')).toBe('b');
    expect(loads()).toBe(3);
  });

  it('forgets on demand, also what is still being asked', async () => {
    const { cache, ask, loads } = counted();
    const asking = ask('a', 'old');
    cache.clear();
    expect(await ask('a', 'new')).toBe('new');
    expect(await asking).toBe('old');
    expect(await ask('a', 'newer')).toBe('new');
    expect(loads()).toBe(2);
  });

  it('drops the oldest entry when it is full', async () => {
    const { ask, loads } = counted(2);
    for (const key of ['a', 'b', 'c', 'b', 'c', 'a']) await ask(key);
    expect(loads()).toBe(4);
  });
});
