/** How much unused rate may be saved up, in ms of it. */
const burstMs = 100;
/**
 * How often a rate is let through that has more than one to give in that time: what goes out together wakes the provider
 * once, and that is the dearest part of a poll.
 */
const lotMs = 5;

/** Lets a rate pass, in lots when it is high, with a burst of a tenth of a second; nothing is lost by asking often. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  readonly #fillEveryMs: number;
  #tokens: number;
  #filledAtMs = -Infinity;

  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
    this.#capacity = Math.max(1, this.#perMs * burstMs);
    this.#fillEveryMs = this.#perMs * lotMs > 1 ? lotMs : 0;
    this.#tokens = this.#capacity;
  }

  /** From when on there is a token; a moment that has passed means now. */
  availableFromMs(nowMs: number): number {
    this.#fill(nowMs);
    if (this.#tokens >= 1) return nowMs;
    return this.#filledAtMs + Math.max(this.#fillEveryMs, (1 - this.#tokens) / this.#perMs);
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
    if (elapsedMs <= 0 || elapsedMs < this.#fillEveryMs) return;
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsedMs * this.#perMs);
    this.#filledAtMs = nowMs;
  }
}
