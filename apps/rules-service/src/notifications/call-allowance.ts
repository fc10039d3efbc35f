import { rateLimitHeaders } from '../http/rate-limit.js';

export interface Allowance {
  /** In `RateLimit`. */
  readonly name: string;
  /** Calls that may come at once. */
  readonly burst: number;
  /** Calls per second after that. */
  readonly perSecond: number;
  /** Callers that are remembered; the one that has been quiet the longest is forgotten first. */
  readonly maxCallers: number;
}

interface Bucket {
  left: number;
  filledAtMs: number;
}

/** A token bucket for each caller, in bounded memory. */
export class CallAllowance {
  // In the order of the last call: a map keeps the order of insertion.
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    private readonly allowance: Allowance,
    /** The monotonic clock. */
    private readonly nowMs: () => number,
  ) {}

  /** Takes one call from the caller's allowance: 0, or how many seconds the caller has to wait for the next one. */
  spend(caller: string): number {
    const { maxCallers } = this.allowance;
    const nowMs = this.nowMs();
    const left = this.left(caller, nowMs);
    const waitSeconds = this.waitSeconds(left);
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { left: waitSeconds === 0 ? left - 1 : left, filledAtMs: nowMs });
    if (this.#buckets.size > maxCallers) {
      const [quietest] = this.#buckets.keys();
      this.#buckets.delete(quietest!);
    }
    return waitSeconds;
  }

  /** The header fields that tell a caller what is left. */
  headers(caller: string): Readonly<Record<string, string>> {
    const { name, burst, perSecond } = this.allowance;
    const left = this.left(caller, this.nowMs());
    const waitSeconds = this.waitSeconds(left);
    const quota = { quota: burst, windowSeconds: Math.ceil(burst / perSecond) };
    return rateLimitHeaders([{ name, ...quota, left: Math.floor(left), ...(waitSeconds > 0 && { waitSeconds }) }]);
  }

  get callers(): number {
    return this.#buckets.size;
  }

  private left(caller: string, nowMs: number): number {
    const { burst, perSecond } = this.allowance;
    const known = this.#buckets.get(caller);
    return known === undefined ? burst : Math.min(burst, known.left + ((nowMs - known.filledAtMs) / 1000) * perSecond);
  }

  private waitSeconds(left: number): number {
    return left >= 1 ? 0 : Math.ceil((1 - left) / this.allowance.perSecond);
  }
}

/** The name under which an address is counted: whoever has one address of IPv6 has the other 2^64 of its network too. */
export function countedAs(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%')[0]!.toLowerCase().split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array.from({ length: zeros }, () => '0'), ...back].slice(0, 4).join(':');
}
