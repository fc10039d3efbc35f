import type { OutgoingEvent } from '../event-publisher.js';

/** An event with the id of its row in the outbox. */
export interface StoredEvent {
  readonly id: string;
  readonly outgoing: OutgoingEvent;
}

/** What the relay needs of the database. */
export interface Outbox {
  /** Marks rows as published; settled and unknown ids are no fault. */
  settle(ids: readonly string[]): Promise<void>;
  /**
   * Claims up to `limit` unpublished rows older than `olderThanMs`, passing over those that another process holds,
   * hands them to `publish`, and settles the ids that it returns, in one transaction. Answers how many were claimed.
   *
   * A claimed row that is not settled comes after those never tried the next time: an event that no queue takes must
   * not hold up the others.
   */
  sweep(
    options: { limit: number; olderThanMs: number },
    publish: (events: readonly StoredEvent[]) => Promise<readonly string[]>,
  ): Promise<number>;
}
