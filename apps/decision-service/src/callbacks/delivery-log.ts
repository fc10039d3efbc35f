import { setTimeout as pause } from 'node:timers/promises';
import type { Database, DeliveryResult, DisabledEndpoint } from '#lib/persistence';
import { counter, type Log } from '#lib/runtime';

interface Entry {
  readonly result: DeliveryResult;
  readonly written: () => void;
}

export interface DeliveryLogOptions {
  readonly database: Pick<Database, 'deliveries'>;
  readonly log: Log;
  readonly disableAfterSeconds?: number | undefined;
  /** Between two tries to write. */
  readonly pauseMs?: number;
}

const mostPerStatement = 100;
const tries = 5;

/** Writes the results of deliveries; whatever arrives while a statement runs goes with the next one. */
export class DeliveryLog {
  readonly #waiting: Entry[] = [];
  #writing = false;

  constructor(private readonly options: DeliveryLogOptions) {}

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
    const { database, log, disableAfterSeconds, pauseMs = 1000 } = this.options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const disabled = await database.deliveries.finish(results, disableAfterSeconds);
        return this.#tell(disabled);
      } catch (error) {
        if (attempt === tries) {
          return log.error('Results of deliveries were not stored; they will be sent again', {
            deliveries: results.length,
            error,
          });
        }
        await pause(pauseMs);
      }
    }
  }

  #tell(disabled: readonly DisabledEndpoint[]): void {
    for (const { id, reason } of disabled) {
      endpointsDisabled().inc({ reason });
      this.options.log.error('A webhook endpoint was disabled', { endpointId: id, reason });
    }
  }
}

const endpointsDisabled = () =>
  counter({
    name: 'assent_webhook_endpoints_disabled_total',
    help: 'Webhook endpoints that were disabled because they are gone or failed for too long.',
    labelNames: ['reason'],
  });
