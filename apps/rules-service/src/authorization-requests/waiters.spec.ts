import type { RequestState } from '#lib/persistence';
import { silentLog } from '#lib/runtime';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Waiters, type WaitersOptions } from './waiters.js';

const never = new AbortController().signal;
const longMs = 60_000;
const decided = { stateVersion: 3, decided: true };
const pending = { stateVersion: 2, decided: false };

describe('calls that wait', () => {
  const opened: Waiters[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((waiters) => waiters.onModuleDestroy())));

  function waitersOn(
    states: (ids: readonly string[]) => RequestState[] = () => [],
    limit = 10,
    everyMs = 3_600_000,
    bus: Pick<WaitersOptions, 'attend' | 'lingerMs'> = { attend: () => ({ begin: () => {}, end: () => {} }) },
  ) {
    const waiters = new Waiters({ states: async (ids) => states(ids), log: silentLog, limit, everyMs, ...bus });
    opened.push(waiters);
    return waiters;
  }

  it('are woken by what is worth reading, and by nothing else', async () => {
    const waiters = waitersOn();
    const watch = waiters.watch('a', (hint) => hint.decided);
    const other = waiters.watch('b', (hint) => hint.decided);
    const heard = watch.heard(longMs, never);
    waiters.tell('a', pending);
    waiters.tell('a', decided);
    expect(await heard).toBe(true);
    expect(await other.heard(0, never)).toBe(false);
  });

  it('hear what was told between two listenings', async () => {
    const waiters = waitersOn();
    const watch = waiters.watch('a', () => true);
    waiters.tell('a', pending);
    expect(await watch.heard(longMs, never)).toBe(true);
    expect(await watch.heard(0, never)).toBe(false);
  });

  it('end when their time has passed, when the caller goes, and when the instance stops', async () => {
    const waiters = waitersOn();
    expect(await waiters.watch('a', () => true).heard(1, never)).toBe(false);
    const gone = new AbortController();
    const abandoned = waiters.watch('a', () => true).heard(longMs, gone.signal);
    gone.abort();
    expect(await abandoned).toBe(false);
    expect(await waiters.watch('a', () => true).heard(longMs, gone.signal)).toBe(false);
    const left = waiters.watch('a', () => true).heard(longMs, never);
    await waiters.onModuleDestroy();
    expect(await left).toBe(false);
    expect(await waiters.watch('a', () => true).heard(longMs, never)).toBe(false);
  });

  it('are found by the look at the database when no event came', async () => {
    let looks = 0;
    const waiters = waitersOn(
      (ids) => {
        looks++;
        return ids.map((id) => ({ id, status: 'approved', ...decided }));
      },
      10,
      1,
    );
    waiters.onApplicationBootstrap();
    const watch = waiters.watch('a', (hint) => hint.decided);
    expect(await watch.heard(longMs, never)).toBe(true);
    expect(looks).toBeGreaterThan(0);
  });

  it('ask the database for nothing when nobody waits', async () => {
    const asked: (readonly string[])[] = [];
    const waiters = waitersOn(
      (ids) => {
        asked.push(ids);
        return [];
      },
      10,
      1,
    );
    waiters.onApplicationBootstrap();
    const watch = waiters.watch('a', () => true);
    await watch.heard(20, never);
    watch.close();
    const before = asked.length;
    await waitersOn()
      .watch('b', () => true)
      .heard(20, never);
    expect(before).toBeGreaterThan(0);
    expect(asked.length - before).toBeLessThanOrEqual(1);
    expect(asked.every((ids) => ids.length === 1)).toBe(true);
  });

  it('have events come while there are some, and for a while after the last one', async () => {
    const asked: string[] = [];
    let ended = (): void => {};
    const end = new Promise<void>((resolve) => (ended = resolve));
    const attention = {
      begin: () => void asked.push('begin'),
      end: () => {
        asked.push('end');
        ended();
      },
    };
    const waiters = waitersOn(undefined, 10, 3_600_000, { attend: () => attention, lingerMs: 1 });
    const first = waiters.watch('a', () => true);
    const second = waiters.watch('b', () => true);
    first.close();
    expect(asked).toEqual(['begin']);
    second.close();
    await end;
    expect(asked).toEqual(['begin', 'end']);
  });

  it('keep events coming when one is over and the next comes soon', async () => {
    let heard = 0;
    const attention = { begin: () => void (heard = 1), end: () => void (heard = 0) };
    const waiters = waitersOn(undefined, 10, 3_600_000, { attend: () => attention, lingerMs: 3_600_000 });
    waiters.watch('a', () => true).close();
    expect(heard).toBe(1);
    waiters.watch('a', () => true);
    await waiters.onModuleDestroy();
    expect(heard).toBe(0);
    waiters.watch('a', () => true).close();
    expect(heard).toBe(0);
  });

  it('miss nothing that happened before the broker sent events', async () => {
    let hearing = (): void => {};
    const attend: WaitersOptions['attend'] = (told) => {
      hearing = told;
      return { begin: () => {}, end: () => {} };
    };
    let state = pending;
    const waiters = waitersOn((ids) => ids.map((id) => ({ id, status: 'pending', ...state })), 10, 3_600_000, {
      attend,
    });
    waiters.onApplicationBootstrap();
    const watch = waiters.watch('a', (hint) => hint.decided);
    const heard = watch.heard(longMs, never);
    // The event of it goes by while the broker still binds.
    state = decided;
    hearing();
    expect(await heard).toBe(true);
  });

  it('are bounded, and make room when they are over', () => {
    const waiters = waitersOn(undefined, 2);
    const first = waiters.watch('a', () => true);
    waiters.watch('a', () => true);
    expect(waiters.full).toBe(true);
    expect(() => waiters.watch('b', () => true)).toThrow(expect.objectContaining({ code: 'busy' }));
    first.close();
    first.close();
    expect(waiters.full).toBe(false);
    waiters.watch('b', () => true);
    expect(waiters.full).toBe(true);
  });
});
