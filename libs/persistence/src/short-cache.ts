/**
 * Remembers what was found for a short time, so that hot paths do not ask the database the same question again.
 * Concurrent callers share one look-up; failures and "nothing there" are never remembered.
 */
export class ShortCache<Value> {
  private readonly entries = new Map<string, { readonly until: number; readonly value: Promise<Value | null> }>();

  constructor(
    private readonly options: { readonly ttlMs: number; readonly maxEntries: number; readonly nowMs?: () => number },
  ) {}

  async get(key: string, load: () => Promise<Value | null>): Promise<Value | null> {
    const nowMs = (this.options.nowMs ?? (() => performance.now()))();
    const known = this.entries.get(key);
    if (known !== undefined && known.until > nowMs) return known.value;

    const value = load();
    const entry = { until: nowMs + this.options.ttlMs, value };
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
      return found;
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Forgets everything: the next question goes to the database. */
  clear(): void {
    this.entries.clear();
  }
}
