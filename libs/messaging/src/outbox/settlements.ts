/** What settling needs, and how much of it goes together. */
export interface SettlementsOptions {
  readonly settle: (ids: readonly string[]) => Promise<void>;
  /** Called for every id when its settlement is through, or has failed: then the row is left to the sweep. */
  readonly released: (id: string) => void;
  readonly failed: (error: unknown) => void;
  readonly batchSize: number;
  readonly afterMs: number;
}

/** Gathers the ids of confirmed events and settles them in batches, one batch at a time. */
export class Settlements {
  private waiting: string[] = [];
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;

  constructor(private readonly options: SettlementsOptions) {}

  add(id: string): void {
    this.waiting.push(id);
    if (this.waiting.length >= this.options.batchSize) this.run();
    else this.timer ??= setTimeout(() => this.run(), this.options.afterMs);
  }

  /** Settles what is waiting now; resolves when all of it is through. */
  async flush(): Promise<void> {
    while (this.running || this.waiting.length > 0) {
      this.run();
      await this.running;
    }
  }

  private run(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.running ??= this.settleAll().finally(() => (this.running = null));
  }

  /** Whatever arrives during one settlement makes up the next. */
  private async settleAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.options.batchSize);
      await this.options.settle(batch).catch(this.options.failed);
      batch.forEach(this.options.released);
    }
  }
}
