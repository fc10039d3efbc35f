import type { Database } from '#lib/persistence';
import { Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const everyMs = 60_000;

/** Seals with the active master key, in the background, what another one has sealed, so that the other one can go. */
@Injectable()
export class ResealSecrets implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: Loop;

  constructor(
    private readonly masterKeys: Pick<Database['masterKeys'], 'resealRest'>,
    private readonly log: Log,
  ) {
    this.#loop = new Loop({ name: 'Sealing anew', everyMs, log, tick: (signal) => this.run(signal) });
  }

  /** One pass, unless there is nothing to do. */
  async run(signal?: AbortSignal): Promise<void> {
    const values = await this.masterKeys.resealRest(signal);
    if (values > 0) this.log.info('Sealed with the active master key what another one had sealed', { values });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }
}
