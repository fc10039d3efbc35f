import { setTimeout as pause } from 'node:timers/promises';
import { retentionConfig, type RetentionConfig } from '#lib/contracts';
import type { Database, Retention } from '#lib/persistence';
import { counter, Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const everyMs = 60_000;
/** It rests so many times as long as it has worked: what waits to be deleted waits, and requests do not. */
const restsPerWork = 3;

/** The configured retention; what is not given has its default. */
export function retentionOf(given: Partial<RetentionConfig>): Retention {
  const config = { ...retentionConfig.parse({}), ...given };
  return {
    personalDays: config.ASSENT_KEEP_PERSONAL_DATA_DAYS,
    requestsDays: config.ASSENT_KEEP_REQUESTS_DAYS,
    timelinesDays: config.ASSENT_KEEP_TIMELINES_DAYS,
    deliveriesDays: config.ASSENT_KEEP_DELIVERIES_DAYS,
    eventsDays: config.ASSENT_KEEP_EVENTS_DAYS,
    inboxDays: config.ASSENT_KEEP_INBOX_DAYS,
  };
}

/** Has the database prune, about every minute, what has served its time. */
@Injectable()
export class KeepHouse implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: Loop;

  constructor(database: Pick<Database, 'housekeep'>, retention: Retention, log: Log) {
    const onFailure = (job: string, error: unknown) => {
      failures().inc({ job });
      log.error('A job of housekeeping failed; the others go on', { job, error });
    };
    const tick = (signal: AbortSignal) =>
      database.housekeep({ retention, signal, onFailure, rest: (tookMs) => resting(tookMs * restsPerWork, signal) });
    this.#loop = new Loop({ name: 'Housekeeping', everyMs, log, tick });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }
}

/** Ends early, and well, when the process stops. */
const resting = (ms: number, signal: AbortSignal): Promise<void> =>
  pause(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });

const failures = () =>
  counter({
    name: 'assent_housekeeping_failures_total',
    help: 'Jobs of housekeeping that failed, by job; each is tried again a minute later.',
    labelNames: ['job'],
  });
