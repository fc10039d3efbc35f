import { setTimeout as pause } from 'node:timers/promises';
import { connect, type ChannelModel } from 'amqplib';
import { percentile } from '../harness/statistics.js';
import { sharedNowMs } from '../outside/stub-provider.js';

/** Events at a steady rate, into this queue. */
export interface SteadyEvents {
  readonly queue: string;
  readonly perSecond: number;
  readonly count: number;
}

/** From the commit to the consumer. */
export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Steady {
  readonly perSecond: number;
  readonly count: number;
  /** Commits one event. */
  readonly one: () => Promise<void>;
  /** When each was committed, by the subject of its event. */
  readonly committedAtMs: ReadonlyMap<string, number>;
}

const limitMs = 60_000;

/** A consumer that notes when each event has come, by its subject. */
export class Arrivals {
  readonly #arrivedAtMs = new Map<string, number>();
  #awaited: { readonly count: number; readonly resolve: () => void } | null = null;

  private constructor(private readonly connection: ChannelModel) {}

  static async listen(amqpUrl: string, queue: string): Promise<Arrivals> {
    const connection = await connect(amqpUrl, { noDelay: true });
    const arrivals = new Arrivals(connection);
    const channel = await connection.createChannel();
    await channel.prefetch(500);
    await channel.consume(queue, (message) => {
      if (message === null) return;
      const { subject } = JSON.parse(message.content.toString()) as { subject: string };
      arrivals.#note(subject);
      channel.ack(message);
    });
    return arrivals;
  }

  /** Has events committed at a steady rate, waits for each once, and closes. */
  async measure({ perSecond, count, one, committedAtMs }: Steady): Promise<Latencies> {
    const startedAt = performance.now();
    const committed: Promise<void>[] = [];
    for (let at = 0; at < count; at++) {
      await pause(Math.max(0, startedAt + (at * 1000) / perSecond - performance.now()));
      committed.push(one());
    }
    await Promise.all(committed);
    await this.#all(count);
    await this.connection.close();
    const waits = [...committedAtMs].map(([subject, at]) => this.#arrivedAtMs.get(subject)! - at);
    if (waits.length !== count || waits.some(Number.isNaN)) throw new Error(`Of ${count} events some are missing.`);
    return { p50Ms: percentile(waits, 50), p99Ms: percentile(waits, 99) };
  }

  #note(subject: string): void {
    this.#arrivedAtMs.set(subject, sharedNowMs());
    if (this.#awaited && this.#arrivedAtMs.size >= this.#awaited.count) this.#awaited.resolve();
  }

  async #all(count: number): Promise<void> {
    if (this.#arrivedAtMs.size >= count) return;
    const come = new Promise<void>((resolve) => (this.#awaited = { count, resolve }));
    const late = pause(limitMs, null, { ref: false }).then(() => {
      throw new Error(`${this.#arrivedAtMs.size} of ${count} events have come in ${limitMs} ms.`);
    });
    await Promise.race([come, late]);
  }
}
