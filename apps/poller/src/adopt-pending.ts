import { shardOf } from '#lib/domain';
import type { PendingReading, PendingWork, RequestStore } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import type { ConcludeAuthentication } from './conclude-authentication.js';
import type { DatabaseClock } from './database-clock.js';
import type { PendingAuthentications } from './pending-authentications.js';
import type { PollingSchedule } from './polling-schedule.js';
import type { ShardLeases } from './shard-leases.js';

export interface AdoptPendingParts {
  readonly requests: Pick<RequestStore, 'pending' | 'pushed' | 'states'>;
  readonly pending: PendingAuthentications;
  readonly schedule: PollingSchedule;
  readonly leases: ShardLeases;
  readonly conclude: Pick<ConcludeAuthentication, 'run'>;
  readonly clock: DatabaseClock;
  readonly log: Log;
  readonly nowMs: () => number;
}

/** Ids in one statement. */
const idsAtOnce = 500;
/** Shards in one statement. */
const shardsAtOnce = 16;

/** Brings the pending requests of our shards into the schedule, and takes out what is not pending any more. Writes nothing. */
export class AdoptPending {
  readonly #hinted = new Set<string>();
  #reading: Promise<void> | null = null;

  constructor(private readonly parts: AdoptPendingParts) {}

  /** A request is said to be pending. Hints that come while one statement runs share the next one. */
  hinted(requestId: string): Promise<void> {
    if (!this.parts.leases.owns(shardOf(requestId))) return Promise.resolve();
    this.#hinted.add(requestId);
    this.#reading ??= this.#readHinted().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /**
   * Adopts what is pending in shards that have just become ours.
   *
   * Nobody knows when the owner before us polled last, so each first poll waits a whole interval; many of them are
   * spread out, one a millisecond, over an interval at most.
   */
  async takeOver(shards: readonly number[]): Promise<void> {
    for (const some of chunks(shards, shardsAtOnce)) {
      await this.#admit(
        { shards: some },
        (work, count) => Math.random() * Math.min(count, work.intervalSeconds * 1000),
      );
    }
  }

  /**
   * Finds what no hint told of: requests of our shards that we do not have, answers that were pushed to ours, and ours that
   * are not pending any more.
   */
  async sweep(): Promise<void> {
    const { leases, pending } = this.parts;
    for (const shards of chunks(leases.kept, shardsAtOnce)) {
      const known = shards.flatMap((shard) => pending.idsIn(shard));
      await this.#dropEnded(known);
      await this.#fetchPushed(known);
      await this.#admit({ shards, exceptIds: known });
    }
  }

  async #readHinted(): Promise<void> {
    while (this.#hinted.size > 0) {
      const ids = [...this.#hinted].slice(0, idsAtOnce);
      ids.forEach((id) => this.#hinted.delete(id));
      await this.#admit({ ids });
    }
  }

  async #dropEnded(known: readonly string[]): Promise<void> {
    for (const ids of chunks(known, idsAtOnce)) {
      const states = await this.parts.requests.states(ids);
      const stillPending = new Set(states.filter(({ status }) => status === 'pending').map(({ id }) => id));
      for (const id of ids) if (!stillPending.has(id)) this.parts.schedule.drop(id);
    }
  }

  async #fetchPushed(known: readonly string[]): Promise<void> {
    const { requests, pending } = this.parts;
    const awaited = known.filter((id) => pending.awaitsPush(id));
    for (const ids of chunks(awaited, idsAtOnce)) {
      const pushed = await requests.pushed(ids);
      if (pushed.length > 0) await this.#admit({ ids: pushed });
    }
  }

  /** Puts what the database says is pending into the schedule. */
  async #admit(
    which: Parameters<RequestStore['pending']>[0],
    spreadMs: (work: PendingWork, count: number) => number = () => 0,
  ): Promise<void> {
    const { requests, pending, schedule, clock, nowMs } = this.parts;
    const askedAtMs = nowMs();
    const { result, removed } = await pending.watching(() => requests.pending(which));
    if (result.databaseNow === null) return;
    clock.observe(result.databaseNow, askedAtMs);
    for (const work of result.work) {
      // What ended while the database answered must not be polled once more.
      if (!removed.has(work.requestId)) schedule.admit(work, spreadMs(work, result.work.length));
    }
    for (const request of result.unreadable) await this.#giveUpInTime(request, result.databaseNow);
  }

  /**
   * What does not open now may open when the right master key is configured again, until the deadline; whether the
   * person approved cannot be asked after it.
   */
  async #giveUpInTime(
    { requestId, shard, expiresAt }: PendingReading['unreadable'][number],
    databaseNow: Date,
  ): Promise<void> {
    const { conclude, leases, log } = this.parts;
    log.error('A pending request does not open with the master keys of this process', { requestId });
    const fence = leases.fence(shard);
    if (fence === null || databaseNow < expiresAt) return;
    await conclude.run(requestId, { type: 'fail', reason: 'outcome_unknown', providerError: null, fence, polls: 0 });
  }
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const result: Item[][] = [];
  for (let from = 0; from < items.length; from += size) result.push(items.slice(from, from + size));
  return result;
}
