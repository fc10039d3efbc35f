import { workQueueNames } from '#lib/contracts';
import type { DeadLetterOffice } from '#lib/messaging';
import { gauge, Loop, type Log } from '#lib/runtime';

const everyMs = 30_000;

/** Counts what was given up on in the queues of the services of this process, and raises the alarm when there is more. */
export class DeadLetterWatch {
  readonly #loop: Loop;
  readonly #consumers = new Set<string>();
  readonly #known = new Map<string, number>();

  constructor(
    private readonly office: Pick<DeadLetterOffice, 'count'>,
    private readonly log: Log,
  ) {
    this.#loop = new Loop({ name: 'Counting dead letters', everyMs, tick: () => this.look(), log });
  }

  /** The queues of this service are looked at from now on. */
  add(consumer: string): void {
    this.#consumers.add(consumer);
    this.#loop.start();
    this.#loop.wake();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One look. */
  async look(): Promise<void> {
    const queues = workQueueNames.filter((name) => this.#consumers.has(name.split('.', 1)[0]!));
    if (queues.length === 0) return;
    for (const [queue, count] of await this.office.count(queues)) {
      letters().set({ queue }, count);
      const before = this.#known.get(queue) ?? 0;
      if (count > before) this.log.error('Messages were given up', { queue, deadLetters: count, before });
      this.#known.set(queue, count);
    }
  }
}

const letters = () =>
  gauge({
    name: 'assent_dead_letters',
    help: 'Messages that were given up, by the queue that they were in.',
    labelNames: ['queue'],
  });
