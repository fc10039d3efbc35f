import { shardCount, type Fence } from '#lib/domain';
import type { OwnedShard, ShardStore } from '#lib/persistence';
import type { DatabaseClock } from './database-clock.js';

export interface ShardLeasesOptions {
  readonly shards: ShardStore;
  readonly clock: DatabaseClock;
  /** This process, by a name that no earlier or other one has had. */
  readonly owner: string;
  /** How long a lease holds without being renewed. */
  readonly leaseMs: number;
  /** How long before the end of the lease the last poll goes out. */
  readonly marginMs: number;
  /** The monotonic clock. */
  readonly nowMs: () => number;
}

/** What a renewal has brought. */
export interface LeaseChanges {
  readonly taken: readonly number[];
  /** Shards that others own by now. */
  readonly lost: readonly number[];
  /** Shards beyond our fair share. */
  readonly surplus: readonly number[];
}

/** Until when polls may go out under a lease that was asked for then; ms on the monotonic clock. */
export const sendUntilMs = (
  askedAtMs: number,
  lease: { readonly leaseMs: number; readonly marginMs: number },
): number => askedAtMs + lease.leaseMs - lease.marginMs;

/** Whether an owner that did not release the shard may have lost an answer of a request that was started then. */
export const mayHaveLostAnswer = (uncleanTakeoverAt: Date | null, sentAt: Date): boolean =>
  uncleanTakeoverAt !== null && uncleanTakeoverAt >= sentAt;

/**
 * What a renewal says against what we thought that we owned. A shard that comes with another epoch was lost and taken
 * again: what we knew of it is out of date.
 */
export function compareLeases(
  known: readonly OwnedShard[],
  current: readonly OwnedShard[],
): { taken: readonly OwnedShard[]; lost: readonly number[] } {
  const holds = (owned: readonly OwnedShard[], { shard, epoch }: OwnedShard) =>
    owned.some((one) => one.shard === shard && one.epoch === epoch);
  return {
    taken: current.filter((shard) => !holds(known, shard)),
    lost: known.filter((shard) => !holds(current, shard)).map(({ shard }) => shard),
  };
}

/** How many shards each of so many instances may own: all shards are covered, and nobody has much more than another. */
export const fairShare = (liveInstances: number): number => Math.ceil(shardCount / Math.max(1, liveInstances));

/**
 * Which shards this instance owns, and until when it may ask.
 *
 * The lease is the database's; the right to send is judged by our own monotonic clock, counted from before the renewal
 * was sent, so that a paused, cut off or slow process stops before anybody else starts.
 */
export class ShardLeases {
  readonly #owned = new Map<number, OwnedShard>();
  readonly #leaving = new Set<number>();
  /** The epochs in which shards were given back: whoever takes them makes it another one, and we may be who. */
  readonly #givenBack = new Map<number, number>();
  #sendUntilMs = -Infinity;

  constructor(private readonly options: ShardLeasesOptions) {}

  /** Shards that are ours and stay ours. */
  get kept(): number[] {
    return [...this.#owned.keys()].filter((shard) => !this.#leaving.has(shard));
  }

  owns(shard: number): boolean {
    return this.#owned.has(shard);
  }

  /** Whether a shard is ours and is not being given away. */
  keeps(shard: number): boolean {
    return this.#owned.has(shard) && !this.#leaving.has(shard);
  }

  /** Whether a poll of this shard may go out just now. */
  maySend(shard: number): boolean {
    return this.keeps(shard) && this.options.nowMs() < this.#sendUntilMs;
  }

  /** What shows the database that we own a shard; null when we do not. */
  fence(shard: number): Fence | null {
    const owned = this.#owned.get(shard);
    return owned ? { shard, owner: this.options.owner, epoch: owned.epoch } : null;
  }

  /** Whether a request that was started then may have lost an answer to an owner that died. */
  isTakenOver(shard: number, sentAt: Date): boolean {
    return mayHaveLostAnswer(this.#owned.get(shard)?.uncleanTakeoverAt ?? null, sentAt);
  }

  /**
   * Renews every lease with one statement, then takes what is free, up to a fair share; `keep-only` takes nothing.
   *
   * Also learns of what an earlier call has taken although its answer was lost.
   */
  async renew(mode: 'take-share' | 'keep-only' = 'take-share'): Promise<LeaseChanges> {
    const { shards, owner, leaseMs, marginMs, clock, nowMs } = this.options;
    const askedAtMs = nowMs();
    const renewed = await shards.renew(owner, leaseMs);
    clock.observe(renewed.databaseNow, askedAtMs);
    this.#sendUntilMs = sendUntilMs(askedAtMs, { leaseMs, marginMs });
    const { taken, lost } = this.#reconcile(renewed.owned);

    const room = fairShare(renewed.liveInstances) - this.kept.length;
    const wanted = mode === 'take-share' && room > 0 && renewed.unowned > 0;
    const more = wanted ? await this.#take(room) : [];
    return { taken: [...taken, ...more], lost, surplus: room < 0 ? this.kept.slice(room) : [] };
  }

  /** No poll of these shards goes out any more; they stay ours until `release`. */
  startLeaving(shards: readonly number[]): void {
    for (const shard of shards) this.#leaving.add(shard);
  }

  /** Gives shards back; not `clean` says that an answer of theirs may have been lost. */
  async release(shards: readonly number[], clean: boolean): Promise<void> {
    if (shards.length === 0) return;
    await this.options.shards.release(this.options.owner, shards, clean);
    for (const shard of shards) {
      const owned = this.#owned.get(shard);
      if (owned) this.#givenBack.set(shard, owned.epoch);
      this.#forget(shard);
    }
  }

  /** Lets the other instances count without this one. */
  leave(): Promise<void> {
    return this.options.shards.leave(this.options.owner);
  }

  async #take(limit: number): Promise<number[]> {
    const { taken } = await this.options.shards.takeLapsed(this.options.owner, limit, this.options.leaseMs);
    for (const shard of taken) this.#owned.set(shard.shard, shard);
    return taken.map(({ shard }) => shard);
  }

  /** What a renewal says of a shard that was given back meanwhile is older than that. */
  #reconcile(renewed: readonly OwnedShard[]): { taken: number[]; lost: number[] } {
    const current = renewed.filter(({ shard, epoch }) => this.#givenBack.get(shard) !== epoch);
    const { taken, lost } = compareLeases([...this.#owned.values()], current);
    lost.forEach((shard) => this.#forget(shard));
    taken.forEach((shard) => this.#owned.set(shard.shard, shard));
    return { taken: taken.map(({ shard }) => shard), lost: [...lost] };
  }

  #forget(shard: number): void {
    this.#owned.delete(shard);
    this.#leaving.delete(shard);
  }
}
