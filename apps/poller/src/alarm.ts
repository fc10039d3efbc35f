/** One timer for any number of moments: it rings at the earliest one that was asked for, and then has to be set again. */
export class Alarm {
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  constructor(
    private readonly ring: () => void,
    private readonly nowMs: () => number,
  ) {}

  /** Rings at this monotonic moment, or earlier when it is set for an earlier one already. */
  setFor(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.stop();
    this.#atMs = atMs;
    this.#timer = setTimeout(() => this.#ring(), Math.max(1, Math.ceil(atMs - this.nowMs())));
  }

  /** Forgets what it was set for. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#atMs = Infinity;
  }

  #ring(): void {
    this.#atMs = Infinity;
    this.ring();
  }
}
