/** How long and how much, for one bus over RabbitMQ. */
export interface RabbitLimits {
  /** Until a TCP connection with its handshake stands. */
  readonly connectMs: number;
  /** For one call to the broker. */
  readonly callMs: number;
  /** For declaring everything that a consumer needs; a new quorum queue takes its time. */
  readonly setUpMs: number;
  /** From publishing to the broker's confirmation. */
  readonly confirmMs: number;
  /** For handlers in flight when a consumer closes. */
  readonly drainMs: number;
  /** Before a lost channel is opened again, the first time; doubles up to ten times as much. */
  readonly reopenMs: number;
  /**
   * Before the copy of a failed message is sent again because it found no place in the retry or dead queue, the first
   * time; doubles up to five times as much.
   */
  readonly copyAgainMs: number;
  /** One retry per delay, each from a queue of its own; then the dead queue. */
  readonly retryDelaysMs: readonly number[];
  /** Messages handed to a consumer, per queue, before it has acknowledged any. */
  readonly prefetch: number;
  /** Published and not yet confirmed; more are refused. */
  readonly maxUnconfirmed: number;
}

/** Good for a broker in the same data centre. */
export const defaultLimits: RabbitLimits = {
  connectMs: 5_000,
  callMs: 5_000,
  setUpMs: 30_000,
  confirmMs: 10_000,
  drainMs: 10_000,
  reopenMs: 500,
  copyAgainMs: 1_000,
  retryDelaysMs: [1_000, 5_000, 30_000],
  prefetch: 200,
  maxUnconfirmed: 10_000,
};
