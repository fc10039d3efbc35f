/** Polls in a row without an answer after which a provider counts as down. */
const failuresToOpen = 5;
/** How often a provider that is down is tried, in ms. */
const trialEveryMs = 1000;
/** Longest pause that one answer's `Retry-After` puts upon the whole provider, in ms. */
const longestPauseMs = 60_000;

/**
 * Spares a provider that is down: after five polls in a row without an answer one a second goes out, until one is
 * answered. A provider that names a time to wait gets it.
 */
export class CircuitBreaker {
  #failures = 0;
  #closedUntilMs = -Infinity;
  /** The pause that the last trial began, and where it stood before. */
  #trial: { readonly endsMs: number; readonly beforeMs: number } | null = null;

  /** True when the provider counts as down. */
  get isOpen(): boolean {
    return this.#failures >= failuresToOpen;
  }

  /** From when on a poll may be sent; a moment that has passed means now. */
  get allowedFromMs(): number {
    return this.#closedUntilMs;
  }

  /** A poll goes out: while the provider is down, the next one waits its turn. */
  sent(nowMs: number): void {
    if (!this.isOpen) return;
    const beforeMs = this.#closedUntilMs;
    this.#wait(nowMs + trialEveryMs);
    this.#trial = { endsMs: this.#closedUntilMs, beforeMs };
  }

  /** The poll of the last `sent` did not go out after all: the trial is somebody else's. */
  unsent(): void {
    if (this.#trial?.endsMs === this.#closedUntilMs) this.#closedUntilMs = this.#trial.beforeMs;
  }

  answered(): void {
    this.#failures = 0;
  }

  failed(nowMs: number): void {
    this.#failures++;
    if (this.#failures === failuresToOpen) this.#wait(nowMs + trialEveryMs);
  }

  /** The provider asked for a pause (`Retry-After`). */
  throttled(forMs: number, nowMs: number): void {
    this.#wait(nowMs + Math.min(forMs, longestPauseMs));
  }

  #wait(untilMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, untilMs);
  }
}
