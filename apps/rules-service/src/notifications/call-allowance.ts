export interface Allowance {
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
    const { burst, perSecond, maxCallers } = this.allowance;
    const nowMs = this.nowMs();
    const known = this.#buckets.get(caller);
    const saved = known === undefined ? burst : known.left + ((nowMs - known.filledAtMs) / 1000) * perSecond;
    const left = Math.min(burst, saved);
    const waitSeconds = left >= 1 ? 0 : Math.ceil((1 - left) / perSecond);
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { left: waitSeconds === 0 ? left - 1 : left, filledAtMs: nowMs });
    if (this.#buckets.size > maxCallers) {
      const [quietest] = this.#buckets.keys();
      this.#buckets.delete(quietest!);
    }
    return waitSeconds;
  }

  get callers(): number {
    return this.#buckets.size;
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
