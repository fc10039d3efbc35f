import { setTimeout as pause } from 'node:timers/promises';
import type { CibaClient } from '#lib/ciba';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { OwnShards } from './own-shards.js';

const closeWithinMs = 1000;

/** Ties the poller to the life of the process: it stops after the last hint was heard, and lets go of the providers last. */
@Injectable()
export class RunPoller implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly ownShards: OwnShards,
    private readonly ciba: CibaClient,
  ) {}

  onApplicationBootstrap(): void {
    this.ownShards.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ownShards.stop();
    // Whatever still hangs here was given up with its shard.
    await Promise.race([this.ciba.close(), pause(closeWithinMs, undefined, { ref: false })]);
  }
}
