import { hintEvents } from '#lib/contracts';
import type { EventPublisher } from '../event-publisher.js';
import { Refused, Unroutable } from '../failures.js';
import { Fifo } from '../fifo.js';
import type { Log } from '../log.js';
import type { Outbox, StoredEvent } from './outbox.js';
import { Settlements } from './settlements.js';
import { Trouble } from './trouble.js';

/** Settings of an outbox relay; what is left out has a default that fits one process of a service. */
export interface OutboxRelayOptions {
  readonly outbox: Outbox;
  readonly publisher: EventPublisher;
  readonly log?: Log;
  /** Between sweeps, ± a quarter, while all is well. */
  readonly sweepIntervalMs?: number;
  /** Between sweeps while the broker or the database is away, at most. */
  readonly longestPauseMs?: number;
  /** A younger row is still being published from memory by the process that wrote it. */
  readonly olderThanMs?: number;
  /** Rows in one sweep, and ids in one settlement. */
  readonly batchSize?: number;
  /** Publications from memory that wait for their confirmation, at most. */
  readonly maxInFlight?: number;
  /** Events in memory until they are settled, at most; the sweep finds the others. */
  readonly maxHeld?: number;
  /** How long confirmed events gather for one settlement. */
  readonly settleAfterMs?: number;
  /** How long `stop` goes on with what is in memory; the rest is left to the sweep of another process. */
  readonly drainMs?: number;
}

const defaults = {
  log: () => {},
  sweepIntervalMs: 1_500,
  longestPauseMs: 5_000,
  olderThanMs: 2_000,
  batchSize: 500,
  maxInFlight: 1_000,
  maxHeld: 5_000,
  settleAfterMs: 500,
  drainMs: 5_000,
};

/** What came of a sweep. */
interface Sweep {
  readonly claimed: number;
  /** Whether there may be more that can be published. */
  readonly more: boolean;
}

/** Batches at a time where there is more than one: one is read and settled while the other is confirmed. */
const abreast = 2;

/**
 * Carries events from the outbox to the bus, each at least once: from memory right after the commit, and by sweeping
 * the table for what a dead process, a full memory or an absent broker left behind.
 */
export class OutboxRelay {
  private readonly options: Required<OutboxRelayOptions>;
  private readonly queue = new Fifo<StoredEvent>();
  /** Events from `offer` to their settlement: a sweep must not publish them once more. */
  private readonly held = new Map<string, 'unconfirmed' | 'confirmed'>();
  private readonly inFlight = new Set<Promise<void>>();
  private readonly settlements: Settlements;
  private readonly brokerAway: Trouble;
  private readonly databaseAway: Trouble;
  private readonly notTaken = new Map<string, Trouble>();
  private sweeping: Promise<Sweep> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private pauseMs: number;
  private stage: 'new' | 'running' | 'stopped' = 'new';

  constructor(options: OutboxRelayOptions) {
    this.options = { ...defaults, ...options };
    const { log, outbox, batchSize, settleAfterMs, sweepIntervalMs } = this.options;
    this.pauseMs = sweepIntervalMs;
    this.brokerAway = new Trouble(log, 'events wait in the outbox: the broker is away');
    this.databaseAway = new Trouble(log, 'the outbox cannot be reached');
    this.settlements = new Settlements({
      settle: (ids) => outbox.settle(ids),
      released: (id) => this.held.delete(id),
      failed: (error) => this.databaseAway.shows(error),
      batchSize,
      afterMs: settleAfterMs,
    });
  }

  /** Publishes events whose rows are committed, in the background; what it cannot take is left to the sweep. */
  offer(events: readonly StoredEvent[]): void {
    if (this.stage === 'stopped' || this.brokerAway.lasts) return;
    const room = Math.max(0, this.options.maxHeld - this.held.size);
    for (const event of events.slice(0, room)) {
      this.held.set(event.id, 'unconfirmed');
      this.queue.push(event);
    }
    this.pump();
  }

  /** Begins to sweep, and goes on until `stop`. */
  start(): void {
    if (this.stage !== 'new') return;
    this.stage = 'running';
    this.sweepAfter(0);
  }

  /**
   * One sweep; answers how many rows it found.
   *
   * @throws what the outbox throws.
   */
  async sweepOnce(): Promise<number> {
    return (await this.sweep(1)).claimed;
  }

  /**
   * Sweeps until there is nothing more that can be published, or until `stop`; answers how many rows it found.
   *
   * @throws what the outbox throws.
   */
  async sweepAll(): Promise<number> {
    let { claimed, more } = await this.sweep(1);
    while (more && this.stage !== 'stopped') {
      const next = await this.sweep(abreast);
      claimed += next.claimed;
      more = next.more;
    }
    return claimed;
  }

  /**
   * Takes and sweeps no more; resolves when what it holds has been published and settled, or the time for that is over.
   * May be called again.
   */
  async stop(): Promise<void> {
    this.stage = 'stopped';
    if (this.timer) clearTimeout(this.timer);
    const limit = setTimeout(() => this.forgetQueue(), this.options.drainMs);
    // Each flight that ends makes room for another, until the queue is empty.
    while (this.inFlight.size > 0) await Promise.allSettled(this.inFlight);
    clearTimeout(limit);
    this.forgetQueue();
    await Promise.allSettled([...this.inFlight, this.sweeping]);
    await this.settlements.flush();
  }

  private pump(): void {
    while (this.inFlight.size < this.options.maxInFlight) {
      const event = this.queue.shift();
      if (!event) return;
      const flight = this.publishFromMemory(event).finally(() => {
        this.inFlight.delete(flight);
        this.pump();
      });
      this.inFlight.add(flight);
    }
  }

  private async publishFromMemory(event: StoredEvent): Promise<void> {
    if (await this.publish(event)) {
      this.held.set(event.id, 'confirmed');
      this.settlements.add(event.id);
    } else {
      this.held.delete(event.id);
      if (this.brokerAway.lasts) this.forgetQueue();
    }
  }

  private forgetQueue(): void {
    for (let event = this.queue.shift(); event; event = this.queue.shift()) this.held.delete(event.id);
  }

  /** Whether the event need not be published again: a queue holds it, or it is a hint and nobody was there to take it. */
  private async publish({ outgoing }: StoredEvent): Promise<boolean> {
    try {
      await this.options.publisher.publish(outgoing);
      this.brokerAway.isOver();
      this.notTaken.get(outgoing.routingKey)?.isOver();
      return true;
    } catch (error) {
      if (error instanceof Unroutable || error instanceof Refused) {
        // The broker has answered: only events of this kind have nowhere to go.
        this.brokerAway.isOver();
        if (error instanceof Unroutable && hintEvents.has(outgoing.routingKey)) return true;
        this.troubleWith(outgoing.routingKey).shows(error);
      } else {
        this.brokerAway.shows(error);
      }
      return false;
    }
  }

  private troubleWith(routingKey: string): Trouble {
    const known = this.notTaken.get(routingKey);
    if (known) return known;
    const made = new Trouble(this.options.log, 'events wait in the outbox: no queue takes them', { routingKey });
    this.notTaken.set(routingKey, made);
    return made;
  }

  private sweep(batches: number): Promise<Sweep> {
    this.sweeping ??= this.sweepTable(batches).finally(() => (this.sweeping = null));
    return this.sweeping;
  }

  /** Batches side by side: each passes over the rows that another one holds. */
  private async sweepTable(batches: number): Promise<Sweep> {
    const ends = await Promise.allSettled(Array.from({ length: batches }, () => this.sweepBatch()));
    const sweeps = ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
    const claimed = sweeps.reduce((sum, sweep) => sum + sweep.claimed, 0);
    return { claimed, more: sweeps.some(({ more }) => more) };
  }

  private async sweepBatch(): Promise<Sweep> {
    const { outbox, batchSize, olderThanMs } = this.options;
    // While the broker is away, one event is enough to find out whether it is back.
    const limit = this.brokerAway.lasts ? 1 : batchSize;
    let published = 0;
    const claimed = await outbox.sweep({ limit, olderThanMs }, async (events) => {
      const done = await Promise.all(events.map(async (event) => ((await this.publishSwept(event)) ? [event.id] : [])));
      published = done.flat().length;
      return done.flat();
    });
    this.databaseAway.isOver();
    return { claimed, more: claimed === limit && published > 0 };
  }

  private async publishSwept(event: StoredEvent): Promise<boolean> {
    const known = this.held.get(event.id);
    return known === undefined ? this.publish(event) : known === 'confirmed';
  }

  private sweepAfter(delayMs: number): void {
    this.timer = setTimeout(() => {
      void this.sweepAndGoOn();
    }, delayMs);
  }

  private async sweepAndGoOn(): Promise<void> {
    try {
      await this.sweepAll();
    } catch (error) {
      this.databaseAway.shows(error);
    }
    if (this.stage === 'running') this.sweepAfter(this.nextPauseMs());
  }

  /** Jittered, so that replicas do not sweep in step. */
  private nextPauseMs(): number {
    const { sweepIntervalMs, longestPauseMs } = this.options;
    const away = this.brokerAway.lasts || this.databaseAway.lasts;
    this.pauseMs = away ? Math.min(this.pauseMs * 2, longestPauseMs) : sweepIntervalMs;
    return this.pauseMs * (0.75 + Math.random() / 2);
  }
}
