import type { StoredEvent } from './stored-event.js';

/** Events that were committed and may not be published yet. */
export interface Outbox {
  /** Marks rows as published; rows that a sweep holds are left to it. */
  settle(ids: readonly string[]): Promise<void>;
  /**
   * Claims unpublished rows (those that another sweep holds are skipped), hands them to `publish`, and settles the ids
   * that it returns, all in one transaction. Answers how many were claimed.
   */
  sweep(
    options: { readonly limit: number; readonly olderThanMs: number },
    publish: (events: readonly StoredEvent[]) => Promise<readonly string[]>,
  ): Promise<number>;
  /** How many rows wait to be published, and for how long the oldest has; no more than 100,000 are counted. */
  waiting(): Promise<{ readonly events: number; readonly oldestSeconds: number }>;
}
