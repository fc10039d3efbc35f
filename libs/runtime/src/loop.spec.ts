import { describe, expect, it } from '@jest/globals';
import { silentLog, type Log } from './log.js';
import { Loop } from './loop.js';

const never = 1_000_000;

/** A gate that a test opens. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

describe('Loop', () => {
  it('ticks at once, and again when woken', async () => {
    const ticks = [gate(), gate()];
    let count = 0;
    const loop = new Loop({ name: 'x', everyMs: never, log: silentLog, tick: async () => ticks[count++]!.open() });
    loop.start();
    await ticks[0]!.opened;
    loop.wake();
    await ticks[1]!.opened;
    await loop.stop();
    expect(count).toBe(2);
  });

  it('never runs two ticks at a time; a wake in between causes one more', async () => {
    const first = gate();
    const second = gate();
    let running = 0;
    let most = 0;
    let count = 0;
    const loop = new Loop({
      name: 'x',
      everyMs: never,
      log: silentLog,
      tick: async () => {
        most = Math.max(most, ++running);
        count++;
        if (count === 1) await first.opened;
        else second.open();
        running--;
      },
    });
    loop.start();
    loop.wake();
    loop.wake();
    first.open();
    await second.opened;
    await loop.stop();
    expect({ count, most }).toEqual({ count: 2, most: 1 });
  });

  it('stop waits for the tick that runs, tells it, and lets no other start', async () => {
    const started = gate();
    const finish = gate();
    let aborted = false;
    let count = 0;
    const loop = new Loop({
      name: 'x',
      everyMs: 0,
      log: silentLog,
      tick: async (signal) => {
        count++;
        started.open();
        await finish.opened;
        aborted = signal.aborted;
      },
    });
    loop.start();
    await started.opened;
    const stopped = loop.stop();
    finish.open();
    await stopped;
    loop.wake();
    expect({ count, aborted }).toEqual({ count: 1, aborted: true });
  });

  it('goes on after a failure and logs one line per change', async () => {
    const lines: string[] = [];
    const log: Log = { ...silentLog, warn: (m) => lines.push(m), info: (m) => lines.push(m) };
    const done = gate();
    let count = 0;
    const loop = new Loop({
      name: 'sweep',
      everyMs: 0,
      log,
      tick: async () => {
        if (++count < 4) throw new Error('away');
        if (count === 5) done.open();
      },
    });
    loop.start();
    await done.opened;
    await loop.stop();
    expect(lines).toEqual(['sweep failed; it will be tried again', 'sweep works again']);
  });

  it('can be stopped before it starts, and twice', async () => {
    const loop = new Loop({ name: 'x', everyMs: 0, log: silentLog, tick: async () => undefined });
    await loop.stop();
    await loop.stop();
  });
});
