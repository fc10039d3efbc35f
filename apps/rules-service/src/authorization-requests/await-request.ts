import type { RequestView } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import { Waiters, type Hint } from './waiters.js';

/** For how long a call waits, and who can end it sooner. */
export interface Patience {
  readonly seconds: number;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Reads a request, again each time something is heard of it, until it is as wished or the patience ends. */
@Injectable()
export class AwaitRequest {
  constructor(private readonly waiters: Waiters) {}

  /** False while too many calls wait already. */
  get possible(): boolean {
    return !this.waiters.full;
  }

  /**
   * Answers the last reading; null when there is no such request.
   *
   * @throws ProblemError `busy`
   */
  async run(
    requestId: string,
    read: () => Promise<RequestView | null>,
    isAsWished: (state: Hint) => boolean,
    { seconds, signal }: Patience,
  ): Promise<RequestView | null> {
    if (seconds <= 0) return read();
    const endMs = performance.now() + seconds * 1000;
    const watch = this.waiters.watch(requestId.toLowerCase(), isAsWished);
    try {
      let view = await read();
      for (let heard = true; heard && view !== null && !isAsWished(stateOf(view));) {
        heard = await watch.heard(endMs - performance.now(), signal);
        // Also when the time is up: what changed meanwhile did not end the wait, and is told all the same.
        if (!signal.aborted) view = await read();
      }
      return view;
    } finally {
      watch.close();
    }
  }
}

/** A reading in the terms of what is waited for. */
export const stateOf = (view: RequestView): Hint => ({
  stateVersion: view.stateVersion,
  decided: view.decision !== null,
});

/** What most callers wait for. */
export const isDecided = ({ decided }: Hint): boolean => decided;
