import type { Database } from '#lib/persistence';
import { Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const everyMs = 3_600_000;

/** Has the database prune, about every hour, what has served its time. */
@Injectable()
export class KeepHouse implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: Loop;

  constructor(database: Pick<Database, 'housekeep'>, log: Log) {
    this.#loop = new Loop({ name: 'Housekeeping', everyMs, log, tick: () => database.housekeep() });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }
}
