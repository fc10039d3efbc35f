/** How much and how long, for one in-process bus. */
export interface InProcessLimits {
  /** One retry per delay; then the dead letters. */
  readonly retryDelaysMs: readonly number[];
  /** For handlers in flight when a consumer closes. */
  readonly drainMs: number;
  /** Messages that a consumer works on at once, per queue. */
  readonly prefetch: number;
  /** Messages in one queue; a publisher of more is refused. */
  readonly maxQueued: number;
  /** Dead letters kept per queue: the newest. */
  readonly maxDeadLetters: number;
}

/** Good for a development machine and a small installation. */
export const defaultLimits: InProcessLimits = {
  retryDelaysMs: [1_000, 5_000, 30_000],
  drainMs: 10_000,
  prefetch: 200,
  maxQueued: 100_000,
  maxDeadLetters: 1_000,
};
