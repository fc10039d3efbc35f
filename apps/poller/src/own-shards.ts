import { GivenUp, Loop, type Log, type Persevere } from '#lib/runtime';
import type { AdoptPending } from './adopt-pending.js';
import type { PendingAuthentications } from './pending-authentications.js';
import type { PollerMetrics } from './poller-metrics.js';
import type { PollingSchedule } from './polling-schedule.js';
import type { ProviderQueues } from './provider-queues.js';
import type { QuiesceShards } from './quiesce-shards.js';
import type { ShardLeases } from './shard-leases.js';

/** How long the database may take to hear, at the end of the process, that its shards are free. */
const releaseWithinMs = 2000;

export interface OwnShardsParts {
  readonly leases: ShardLeases;
  readonly adopt: AdoptPending;
  readonly schedule: PollingSchedule;
  readonly quiesce: QuiesceShards;
  readonly pending: PendingAuthentications;
  readonly queues: ProviderQueues;
  readonly metrics: PollerMetrics;
  readonly persevere: Persevere;
  /** Ends whatever perseveres. */
  readonly giveUp: () => void;
  readonly log: Log;
  readonly renewEveryMs: number;
  readonly sweepEveryMs: number;
  /** How long polls in flight may take to end before their shards are given away. */
  readonly handOverMs: number;
}

/** Keeps this instance's share of the shards, and what is pending in them, for as long as the process runs. */
export class OwnShards {
  readonly #renewal: Loop;
  readonly #takeOver: Loop;
  readonly #sweep: Loop;
  readonly #toAdopt = new Set<number>();
  #handingOver: Promise<void> | null = null;
  #stopping = false;

  constructor(private readonly parts: OwnShardsParts) {
    const { log, adopt, renewEveryMs, sweepEveryMs } = parts;
    this.#renewal = new Loop({ name: 'renewing leases', everyMs: renewEveryMs, tick: () => this.#renew(), log });
    this.#takeOver = new Loop({ name: 'taking shards over', everyMs: 1000, tick: () => this.#adopt(), log });
    this.#sweep = new Loop({
      name: 'sweeping pending requests',
      everyMs: sweepEveryMs,
      tick: () => adopt.sweep(),
      log,
    });
  }

  start(): void {
    this.#takeOver.start();
    this.#renewal.start();
    this.#sweep.start();
  }

  /** Stops polling, waits a while for polls in flight, and gives every shard back. */
  async stop(): Promise<void> {
    const { leases, schedule, giveUp, handOverMs } = this.parts;
    this.#stopping = true;
    const limit = setTimeout(giveUp, handOverMs + releaseWithinMs);
    await Promise.all([this.#takeOver.stop(), this.#sweep.stop()]);
    // The leases are renewed meanwhile, since what is in flight may take longer than a lease.
    await Promise.all([this.#handingOver, this.#handOver(leases.kept)]);
    await this.#renewal.stop();
    // A renewal that was under way when we began to stop may have taken more.
    await this.#handOver(leases.kept);
    schedule.stop();
    await this.#untilGivenUp('Leaving the other pollers', () => leases.leave());
    clearTimeout(limit);
    giveUp();
  }

  async #renew(): Promise<void> {
    const { leases, schedule, pending, queues, metrics } = this.parts;
    const { taken, lost, surplus } = await leases.renew(this.#stopping ? 'keep-only' : 'take-share');
    for (const shard of lost) schedule.dropShard(shard);
    if (taken.length > 0) this.#adoptSoon(taken);
    if (surplus.length > 0 && !this.#stopping) this.#handOverInBackground(surplus);
    metrics.state({
      pending: pending.size,
      inFlight: queues.inFlight,
      shards: leases.kept.length,
      providersDown: queues.down().length,
    });
  }

  // Not awaited: a renewal must not wait for whatever a take-over or a hand-over waits for.
  #adoptSoon(taken: readonly number[]): void {
    taken.forEach((shard) => this.#toAdopt.add(shard));
    this.#takeOver.wake();
  }

  async #adopt(): Promise<void> {
    const shards = [...this.#toAdopt];
    this.#toAdopt.clear();
    try {
      await this.parts.adopt.takeOver(shards);
    } catch (error) {
      shards.forEach((shard) => this.#toAdopt.add(shard));
      throw error;
    }
  }

  #handOverInBackground(shards: readonly number[]): void {
    this.#handingOver ??= this.#handOver(shards).finally(() => {
      this.#handingOver = null;
    });
  }

  async #handOver(shards: readonly number[]): Promise<void> {
    const { leases, quiesce, handOverMs } = this.parts;
    leases.startLeaving(shards);
    const { clean, unclean } = await quiesce.run(shards, handOverMs);
    await this.#untilGivenUp('Releasing shards', () => leases.release(clean, true));
    await this.#untilGivenUp('Releasing shards', () => leases.release(unclean, false));
  }

  /** What cannot be given back lapses, and whoever takes it then knows that it was not released. */
  async #untilGivenUp(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await this.parts.persevere(what, action);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
    }
  }
}
