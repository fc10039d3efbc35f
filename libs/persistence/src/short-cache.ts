/**
 * Remembers what was found for a short time, so that hot paths do not ask the database the same question again.
 * Concurrent callers share one look-up; failures and "nothing there" are never remembered.
 */
export class ShortCache<Value> {
  private readonly entries = new Map<string, Entry<Value>>();

  constructor(
    private readonly options: { readonly ttlMs: number; readonly maxEntries: number; readonly nowMs?: () => number },
  ) {}

  /** The value, without a promise while it is known; otherwise what `load` answers, or rejects with. */
  get(key: string, load: () => Promise<Value | null>): Value | Promise<Value | null> {
    const nowMs = this.options.nowMs?.() ?? performance.now();
    const known = this.entries.get(key);
    return known !== undefined && known.until > nowMs ? (known.found ?? known.value) : this.ask(key, load, nowMs);
  }

  /** Forgets everything: the next question goes to the database. */
  clear(): void {
    this.entries.clear();
  }

  private async ask(key: string, load: () => Promise<Value | null>, nowMs: number): Promise<Value | null> {
    const value = load();
    const entry: Entry<Value> = { until: nowMs + this.options.ttlMs, value, found: null };
    this.entries.delete(key);
    this.entries.set(key, entry);
    // Insertion order: the oldest entry goes first.
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.options.maxEntries) break;
      this.entries.delete(oldest);
    }
    const forget = () => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    };
    try {
      const found = await value;
      if (found === null) forget();
      entry.found = found;
      return found;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

interface Entry<Value> {
  readonly until: number;
  readonly value: Promise<Value | null>;
  /** What the promise came to, once it has. */
  found: Value | null;
}
