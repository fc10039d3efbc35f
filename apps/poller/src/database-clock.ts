/**
 * The database's time, told by the monotonic clock of this process.
 *
 * The system clock is never asked: it may be wrong by hours, and it jumps. Whatever this clock says is checked again by
 * the database before anything becomes final.
 */
export class DatabaseClock {
  #databaseMs = Number.NaN;
  #monotonicMs = 0;
  #aheadMs = 0;

  constructor(private readonly monotonicMs: () => number) {}

  /** Learns what the database said in the answer to a statement that was sent at `askedAtMs` (monotonic). */
  observe(databaseNow: Date, askedAtMs: number): void {
    this.#databaseMs = databaseNow.getTime();
    this.#monotonicMs = askedAtMs;
    this.#aheadMs = Math.max(this.#aheadMs, this.monotonicMs() - askedAtMs);
  }

  /** By how much at most this clock has ever been ahead of the database's, in ms: the longest statement. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** The monotonic moment of a database time; early by the duration of the statement at most, never late. */
  toMonotonicMs(time: Date): number {
    return this.#monotonicMs + (time.getTime() - this.#databaseMs);
  }

  /** The database's time at a monotonic moment; ahead by the duration of the statement at most. */
  toDatabaseTime(atMs: number): Date {
    return new Date(this.#databaseMs + (atMs - this.#monotonicMs));
  }

  /** The database's time just now. */
  now(): Date {
    return this.toDatabaseTime(this.monotonicMs());
  }
}
