import { setTimeout as pause } from 'node:timers/promises';
import type { Database, DeliveryResult } from '#lib/persistence';
import type { Log } from '#lib/runtime';

interface Entry {
  readonly result: DeliveryResult;
  readonly written: () => void;
}

const mostPerStatement = 100;
const tries = 5;

/** Writes the results of deliveries; whatever arrives while a statement runs goes with the next one. */
export class DeliveryLog {
  readonly #waiting: Entry[] = [];
  #writing = false;

  constructor(
    private readonly database: Pick<Database, 'deliveries'>,
    private readonly log: Log,
    private readonly pauseMs = 1000,
  ) {}

  /**
   * Resolves when the result is committed, or given up on: then the lease of its delivery ends and it is sent again,
   * under the same id.
   */
  write(result: DeliveryResult): Promise<void> {
    return new Promise((written) => {
      this.#waiting.push({ result, written });
      if (!this.#writing) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostPerStatement);
      await this.#finish(batch.map((entry) => entry.result));
      for (const entry of batch) entry.written();
    }
    this.#writing = false;
  }

  async #finish(results: readonly DeliveryResult[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.database.deliveries.finish(results);
      } catch (error) {
        if (attempt === tries) {
          return this.log.error('Results of deliveries were not stored; they will be sent again', {
            deliveries: results.length,
            error,
          });
        }
        await pause(this.pauseMs);
      }
    }
  }
}
