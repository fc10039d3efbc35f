import { isUnavailable, type Database } from '#lib/persistence';
import { Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { RecordDecision } from './record-decision.js';

const everyMs = 2000;
const olderThanSeconds = 2;
const pageSize = 100;
/** Decisions recorded side by side; more would only wait for the pool. */
const sideBySide = 8;

/** Records the decisions of ended requests whose event was lost, or whose handler died. */
@Injectable()
export class SweepUndecided implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: Loop;

  constructor(
    private readonly database: Pick<Database, 'requests'>,
    private readonly recordDecision: RecordDecision,
    private readonly log: Log,
  ) {
    this.#loop = new Loop({ name: 'The sweep for undecided requests', everyMs, log, tick: (s) => this.tick(s) });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }

  /** One sweep: page after page, until a page is short or brings nothing. */
  async tick(stopping?: AbortSignal): Promise<void> {
    for (let ids = await this.#undecided(); ids.length > 0; ids = await this.#undecided()) {
      const recorded = await this.#recordAll(ids, stopping);
      if (recorded === 0 || ids.length < pageSize || stopping?.aborted) return;
    }
  }

  #undecided(): Promise<string[]> {
    return this.database.requests.undecided({ olderThanSeconds, limit: pageSize });
  }

  async #recordAll(ids: readonly string[], stopping?: AbortSignal): Promise<number> {
    let recorded = 0;
    for (let at = 0; at < ids.length && !stopping?.aborted; at += sideBySide) {
      const results = await Promise.all(ids.slice(at, at + sideBySide).map((id) => this.#record(id)));
      recorded += results.filter(Boolean).length;
    }
    return recorded;
  }

  // One request that cannot be decided must not keep the others from it.
  async #record(requestId: string): Promise<boolean> {
    try {
      const outcome = await this.recordDecision.run(requestId, null);
      if (outcome === 'recorded') this.log.info('A decision was recorded by the sweep', { requestId });
      return outcome === 'recorded';
    } catch (error) {
      if (isUnavailable(error)) throw error;
      this.log.error('A decision could not be recorded; the sweep will try again', { requestId, error });
      return false;
    }
  }
}
