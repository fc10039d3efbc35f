import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from './log.js';

const firstPauseMs = 100;
const longestPauseMs = 5000;

/** The process ends; what was to be done is left undone. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

/** Does something again and again until it works. */
export type Persevere = <Result>(what: string, action: () => Promise<Result>) => Promise<Result>;

/**
 * For what must not be lost while something outside is away, because our memory holds the only copy.
 *
 * Waits longer and longer in between, 5 s at most. The result rejects with `GivenUp` once the signal aborts, and for
 * nothing else.
 */
export function perseveringUntil(signal: AbortSignal, log: Log): Persevere {
  // Each pause listens, and an outage has thousands of them at the same time.
  setMaxListeners(Infinity, signal);
  return async (what, action) => {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return await action();
      } catch (error) {
        log.warn(`${what} failed; it will be tried again`, { error, inMs: pauseMs });
      }
      await pause(pauseMs, undefined, { signal }).catch(() => {
        throw new GivenUp(`${what} was given up: the process ends`);
      });
    }
  };
}
