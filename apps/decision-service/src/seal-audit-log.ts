import type { Database } from '#lib/persistence';
import { Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const everyMs = 10_000;

/**
 * Has the audit log sealed every few seconds, and tells each head to the log: whoever keeps the log elsewhere can prove
 * later what the audit log held.
 *
 * It runs in every instance of this one service; the database lets one of them seal at a time.
 */
@Injectable()
export class SealAuditLog implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: Loop;

  constructor(
    private readonly database: Pick<Database, 'audit'>,
    private readonly log: Log,
  ) {
    this.#loop = new Loop({ name: 'Sealing the audit log', everyMs, log, tick: (signal) => this.run(signal) });
  }

  /** Seals what there is. */
  async run(signal?: AbortSignal): Promise<void> {
    const { events, head } = await this.database.audit.seal(signal);
    if (head === null) return;
    const { batch, lastSequence: sequence, hash } = head;
    this.log.info('The audit log was sealed', { events, batch, sequence, hash });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }
}
