/** How much unused rate may be saved up, in ms of it. */
const burstMs = 100;

/** Lets a rate pass, with a burst of a tenth of a second; nothing is lost by asking often. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAtMs = -Infinity;

  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
    this.#capacity = Math.max(1, this.#perMs * burstMs);
    this.#tokens = this.#capacity;
  }

  /** From when on there is a token; a moment that has passed means now. */
  availableFromMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= 1 ? nowMs : nowMs + (1 - this.#tokens) / this.#perMs;
  }

  /** Takes the token that `availableFromMs` promised. */
  take(): void {
    this.#tokens -= 1;
  }

  /** Gives a token back that was taken for nothing. */
  giveBack(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + 1);
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAtMs;
    if (elapsedMs <= 0) return;
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsedMs * this.#perMs);
    this.#filledAtMs = nowMs;
  }
}
