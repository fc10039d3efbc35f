import type { Database } from '#lib/persistence';
import { Loop, type Log } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const everyMs = 3_600_000;
/** Our key set may be kept for a minute; the rest is for providers that keep it longer than they are told. */
const publishedAheadSeconds = 1_800;
/** Assertions live for a minute, signed requests for five; encrypted tokens come as long as providers keep our key set. */
const retiredForSeconds = 86_400;

/**
 * Lets the keys of client assertions and signed requests change in time, the next ones published long before, and those
 * that ID tokens are encrypted to, the former ones opening for long after.
 *
 * It runs in every instance of this one service; the database lets one of them make each change.
 */
@Injectable()
export class RotateSigningKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: Loop;

  constructor(
    private readonly database: Pick<Database, 'signingKeys' | 'encryptionKeys'>,
    private readonly everySeconds: number,
    private readonly log: Log,
  ) {
    this.#loop = new Loop({ name: 'Rotating signing keys', everyMs, log, tick: () => this.run() });
  }

  /** One look: makes the next keys, and uses them when their time has come. */
  async run(): Promise<void> {
    const { everySeconds } = this;
    const changed = await this.database.signingKeys.rotate({ everySeconds, publishedAheadSeconds, retiredForSeconds });
    if (changed > 0) this.log.info('Signing keys have changed', { changed });
    const replaced = await this.database.encryptionKeys.rotate({ everySeconds, retiredForSeconds });
    if (replaced > 0) this.log.info('Encryption keys have changed', { replaced });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }
}
