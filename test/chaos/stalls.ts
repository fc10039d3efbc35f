import type { Ledger } from './ledger.js';

const everyMs = 100;
/** A shorter one delays nothing that anybody here waits for. */
const shortestMs = 1_000;

/**
 * Writes down when the machine had no time for this process, in which callers, provider, sinks and proxies live: what was
 * late or timed out then was met by a fault that nobody planned.
 */
export class Stalls {
  times = 0;
  longestMs = 0;
  #lastMs = Date.now();
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly ledger: Ledger) {
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = Date.now();
    const fromMs = this.#lastMs;
    this.#lastMs = now;
    const stalledMs = now - fromMs - everyMs;
    if (stalledMs < shortestMs) return;
    this.times++;
    this.longestMs = Math.max(this.longestMs, stalledMs);
    const faultId = `stall-${this.times}`;
    this.ledger.write({ faultId, kind: 'stall', target: 'machine', fromMs, untilMs: now, detail: { size: stalledMs } });
  }
}
