import type { Database } from '#lib/persistence';
import { gauge, Loop, type Log } from '#lib/runtime';

const everyMs = 5_000;

/** Counts the events that wait in the outbox, so that a broker that takes nothing is seen as a number that grows. */
export class OutboxWatch {
  readonly #loop: Loop;

  constructor(
    private readonly outbox: Pick<Database['outbox'], 'waiting'>,
    log: Log,
  ) {
    this.#loop = new Loop({ name: 'Counting what waits in the outbox', everyMs, tick: () => this.look(), log });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One look. */
  async look(): Promise<void> {
    const { events, oldestSeconds } = await this.outbox.waiting();
    waitingEvents().set(events);
    oldestEvent().set(oldestSeconds);
  }
}

const waitingEvents = () =>
  gauge({
    name: 'assent_outbox_events',
    help: 'Events in the database that are not published yet, up to 100,000; the same in every process.',
  });

const oldestEvent = () =>
  gauge({ name: 'assent_outbox_oldest_seconds', help: 'How long the oldest of them has waited.' });
