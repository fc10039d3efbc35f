import { DatabaseBusy, isContended, isOutOfTime, isUnavailable } from './errors.js';

export interface NaturalBatcherOptions<Item, Result> {
  /** Names the work in errors. */
  readonly name: string;
  /** Does all items in one statement, in one commit; answers in the items' order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Items with equal keys never share a batch. */
  readonly keyOf?: (item: Item) => string;
  /** Statements at a time. */
  readonly lanes?: number;
  readonly maxBatch?: number;
  /** Waiting items beyond this are refused with `DatabaseBusy`. */
  readonly maxWaiting?: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Items of a failed batch that are tried at the same time. */
const abreast = 4;

/**
 * Lets concurrent calls share statements without ever waiting for company: an idle lane takes whatever is there, so a
 * lone call goes at once and batches grow only under load. Each promise settles after the commit of its own statement.
 * When a batch fails, its items are tried one by one, so that one bad item fails alone.
 */
export class NaturalBatcher<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private busyLanes = 0;
  private scheduled = false;
  private readonly lanes: number;
  private readonly maxBatch: number;
  private readonly maxWaiting: number;

  constructor(private readonly options: NaturalBatcherOptions<Item, Result>) {
    this.lanes = options.lanes ?? 2;
    this.maxBatch = options.maxBatch ?? 256;
    this.maxWaiting = options.maxWaiting ?? 4096;
  }

  run(item: Item): Promise<Result> {
    if (this.waiting.length >= this.maxWaiting) {
      return Promise.reject(new DatabaseBusy(`${this.waiting.length} calls wait for ${this.options.name}.`));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  // What arrives in the same turn of the event loop travels together.
  private schedule(): void {
    if (this.scheduled || this.busyLanes >= this.lanes) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.busyLanes < this.lanes && this.waiting.length > 0) void this.work(this.take());
    });
  }

  private take(): Waiting<Item, Result>[] {
    const { keyOf } = this.options;
    if (keyOf === undefined) return this.waiting.splice(0, this.maxBatch);
    const keys = new Set<string>();
    const taken: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    for (const entry of this.waiting) {
      const key = keyOf(entry.item);
      if (taken.length < this.maxBatch && !keys.has(key)) taken.push(entry);
      else left.push(entry);
      // Also when the entry stays: a later one must not overtake it.
      keys.add(key);
    }
    this.waiting = left;
    return taken;
  }

  private async work(batch: Waiting<Item, Result>[]): Promise<void> {
    this.busyLanes++;
    try {
      await this.settle(batch);
    } finally {
      this.busyLanes--;
      if (this.waiting.length > 0) this.schedule();
    }
  }

  private async settle(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.attempt(batch.map((entry) => entry.item));
      batch.forEach((entry, index) => entry.resolve(results[index]!));
    } catch (error) {
      // A lost connection is nobody's fault; and whether the statement committed is not known: never repeat it here.
      const rolledBack = isContended(error) || isOutOfTime(error) || !isUnavailable(error);
      if (batch.length === 1 || !rolledBack) {
        for (const entry of batch) entry.reject(error);
        return;
      }
      await this.settleOneByOne(batch);
    }
  }

  // Side by side, a few at a time: one item that waits for a lock until its time is up must not hold up the others.
  private async settleOneByOne(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const left = [...batch];
    const worker = async (): Promise<void> => {
      for (let entry = left.shift(); entry !== undefined; entry = left.shift()) await this.settle([entry]);
    };
    await Promise.all(Array.from({ length: Math.min(abreast, batch.length) }, worker));
  }

  private async attempt(items: readonly Item[]): Promise<readonly Result[]> {
    try {
      return await this.options.run(items);
    } catch (error) {
      if (isContended(error)) return this.options.run(items);
      throw error;
    }
  }
}
