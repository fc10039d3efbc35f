import { RecentMap } from './recent-map.js';

/** How long things are kept, in milliseconds. */
export interface AgingLimits {
  /** From this age on a new value is fetched in the background. */
  readonly refreshAfterMs: number;
  /** A value older than this is never given out. */
  readonly maximumAgeMs: number;
  /** A failure is not repeated within this time. */
  readonly rememberFailureMs: number;
  readonly maximumSize: number;
}

/** Fetches a value; rejects when it cannot. */
export type Load<T> = () => Promise<T>;

interface Entry<T> {
  current: { readonly value: T; readonly at: number } | null;
  failure: { readonly reason: unknown; readonly at: number } | null;
  flight: Promise<T> | null;
}

/** Values of bounded age, fetched at most once at a time for each key, however many callers wait. */
export class AgingCache<T> {
  private readonly entries: RecentMap<string, Entry<T>>;

  /**
   * @param nowMs a clock that never runs backwards.
   * @param onMissedRefresh hears of a failure in the background, which nobody else would notice; of those that follow
   * it without a success in between it hears nothing.
   */
  constructor(
    private readonly limits: AgingLimits,
    private readonly nowMs: () => number,
    private readonly onMissedRefresh: (key: string, reason: unknown) => void,
  ) {
    this.entries = new RecentMap(limits.maximumSize);
  }

  /** The value, without a promise while it is young enough; otherwise it is fetched. Rejects with what `load` rejects with. */
  get(key: string, load: Load<T>): T | Promise<T> {
    const entry = this.entry(key);
    const { current } = entry;
    if (current === null) return this.fetch(entry, load);
    const age = this.nowMs() - current.at;
    if (age >= this.limits.maximumAgeMs) return this.fetch(entry, load);
    if (age >= this.limits.refreshAfterMs) this.refresh(key, entry, load);
    return current.value;
  }

  /** A value no older than `youngerThanMs`; fetched unless it, or the last failure, is that young. */
  renew(key: string, youngerThanMs: number, load: Load<T>): Promise<T> {
    const entry = this.entry(key);
    const oldest = this.nowMs() - youngerThanMs;
    if (entry.failure !== null && entry.failure.at > oldest) return rejected(entry.failure.reason);
    if (entry.current !== null && entry.current.at > oldest) return Promise.resolve(entry.current.value);
    return this.fetch(entry, load);
  }

  private entry(key: string): Entry<T> {
    const known = this.entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry<T> = { current: null, failure: null, flight: null };
    this.entries.set(key, entry);
    return entry;
  }

  private refresh(key: string, entry: Entry<T>, load: Load<T>): void {
    if (entry.flight !== null || this.failedJustNow(entry)) return;
    const isFirst = entry.failure === null;
    this.fetch(entry, load).catch((reason: unknown) => {
      if (isFirst) this.onMissedRefresh(key, reason);
    });
  }

  private failedJustNow({ failure }: Entry<T>): boolean {
    return failure !== null && this.nowMs() - failure.at < this.limits.rememberFailureMs;
  }

  private fetch(entry: Entry<T>, load: Load<T>): Promise<T> {
    if (entry.flight !== null) return entry.flight;
    if (this.failedJustNow(entry)) return rejected(entry.failure?.reason);
    const startedAt = this.nowMs();
    entry.flight = load()
      .then(
        (value) => {
          entry.current = { value, at: startedAt };
          entry.failure = null;
          return value;
        },
        (reason: unknown) => {
          entry.failure = { reason, at: this.nowMs() };
          return rejected(reason);
        },
      )
      .finally(() => {
        entry.flight = null;
      });
    return entry.flight;
  }
}

function rejected(reason: unknown): Promise<never> {
  return Promise.reject(reason instanceof Error ? reason : new Error(String(reason)));
}
