import { setTimeout as pause } from 'node:timers/promises';
import type { CibaClient } from '#lib/ciba';
import type { Loop } from '#lib/runtime';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { StartAuthentication } from './start-authentication.js';

export interface RunCibaWorkerParts {
  readonly sweep: Loop;
  readonly startAuthentication: StartAuthentication;
  readonly ciba: CibaClient;
  /** How long calls under way may take to end when the process stops. */
  readonly settleWithinMs: number;
  /** No further attempt begins. */
  readonly beginNoMore: () => void;
  /** What perseveres ends. */
  readonly giveUp: () => void;
}

/** Ties the worker to the life of the process: the last event was heard before it stops. */
@Injectable()
export class RunCibaWorker implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly parts: RunCibaWorkerParts) {}

  onApplicationBootstrap(): void {
    this.parts.sweep.start();
  }

  async onApplicationShutdown(): Promise<void> {
    const { sweep, startAuthentication, ciba, settleWithinMs, beginNoMore, giveUp } = this.parts;
    beginNoMore();
    await sweep.stop();
    const limit = pause(settleWithinMs, undefined, { ref: false }).then(giveUp);
    await Promise.race([startAuthentication.settled().then(() => ciba.close()), limit]);
  }
}
