import type { PendingAuthentications } from './pending-authentications.js';
import type { PollingSchedule } from './polling-schedule.js';
import { leavesDoubt } from './polling-turn.js';

/** Shards that have come to rest, by how they may be released. */
export interface QuiescedShards {
  /** Nothing in them is in doubt. */
  readonly clean: number[];
  /** An answer may have been lost in them: their next owner has to doubt. */
  readonly unclean: number[];
}

/** Brings shards to rest that we are about to give away; their leases are leaving already, so that nothing new comes in. */
export class QuiesceShards {
  constructor(
    private readonly pending: Pick<PendingAuthentications, 'inShard' | 'phase' | 'inDoubt'>,
    private readonly schedule: Pick<PollingSchedule, 'settled' | 'dropShard'>,
  ) {}

  /**
   * Has all requests of these shards forgotten, once their polls in flight have ended or `withinMs` has passed, and
   * answers which of the shards may be released clean.
   */
  async run(shards: readonly number[], withinMs: number): Promise<QuiescedShards> {
    await within(withinMs, this.schedule.settled(new Set(shards)));
    const unclean = shards.filter((shard) => [...this.pending.inShard(shard)].some((slot) => this.#isDoubtful(slot)));
    for (const shard of shards) this.schedule.dropShard(shard);
    return { clean: shards.filter((shard) => !unclean.includes(shard)), unclean };
  }

  #isDoubtful(slot: number): boolean {
    return leavesDoubt({ phase: this.pending.phase(slot), doubt: this.pending.inDoubt(slot) });
  }
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
