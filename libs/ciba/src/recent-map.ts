/** A map of bounded size that forgets what was used least recently. */
export class RecentMap<K, V> {
  private readonly entries = new Map<K, V>();
  /** The last entry, which mostly is the one that is read again. */
  private newest: K | undefined;

  constructor(private readonly maximumSize: number) {}

  /** Reading counts as use. */
  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value !== undefined && key !== this.newest) this.touch(key, value);
    return value;
  }

  /** Stores a value and, when there are too many, forgets the least recently used one. */
  set(key: K, value: V): void {
    this.touch(key, value);
    if (this.entries.size > this.maximumSize) this.entries.delete(this.entries.keys().next().value as K);
  }

  private touch(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    this.newest = key;
  }

  /** From the least to the most recently used. */
  values(): IterableIterator<V> {
    return this.entries.values();
  }
}
