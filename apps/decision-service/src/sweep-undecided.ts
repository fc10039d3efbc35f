import { isUnavailable, type Database } from '#lib/persistence';
import { Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { RecordDecision } from './record-decision.js';

const everyMs = 2000;
const olderThanSeconds = 2;
const pageSize = 100;
/** Requests that one sweep looks past, because they cannot be decided or another process was faster. */
const mostPassed = 10_000;
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

  /** One sweep: page after page, looking past those that it could not decide, until nothing new comes. */
  async tick(stopping?: AbortSignal): Promise<void> {
    const passed = new Set<string>();
    const failures: Failure[] = [];
    let found = 0;
    do {
      const ids = await this.database.requests.undecided({ olderThanSeconds, limit: pageSize + passed.size });
      const untried = ids.filter((id) => !passed.has(id));
      found = untried.length;
      for (let at = 0; at < found && !stopping?.aborted; at += sideBySide) {
        await Promise.all(untried.slice(at, at + sideBySide).map((id) => this.#record(id, passed, failures)));
      }
    } while (found >= pageSize && passed.size < mostPassed && !stopping?.aborted);
    const [first] = failures;
    if (!first) return;
    const detail = { requests: failures.length, ...first };
    this.log.error('Decisions could not be recorded; the sweep will try again', detail);
  }

  // One request that cannot be decided must not keep the others from it.
  async #record(requestId: string, passed: Set<string>, failures: Failure[]): Promise<void> {
    try {
      const outcome = await this.recordDecision.run(requestId, null);
      if (outcome === 'recorded') this.log.info('A decision was recorded by the sweep', { requestId });
      else passed.add(requestId);
    } catch (error) {
      if (isUnavailable(error)) throw error;
      passed.add(requestId);
      failures.push({ requestId, error });
    }
  }
}

interface Failure {
  readonly requestId: string;
  readonly error: unknown;
}
