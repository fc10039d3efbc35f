interface Lane<Work> {
  running: number;
  readonly waiting: Work[];
}

/** One lane per target: so many at a time in each, the rest of that target waits, the other targets pass. */
export class Lanes<Work extends { readonly target: string }> {
  readonly #lanes = new Map<string, Lane<Work>>();
  #size = 0;
  #whenIdle: Array<() => void> = [];

  constructor(
    private readonly perTarget: number,
    /** Must not reject. */
    private readonly run: (work: Work) => Promise<void>,
  ) {}

  /** How many are running or waiting, in all lanes. */
  get size(): number {
    return this.#size;
  }

  /** The targets whose lane has as much as may run at a time, or more. */
  full(): string[] {
    return [...this.#lanes]
      .filter(([, lane]) => lane.running + lane.waiting.length >= this.perTarget)
      .map(([target]) => target);
  }

  /** Runs the work, now or when it is its turn. */
  add(work: Work): void {
    const lane = this.#lanes.get(work.target) ?? { running: 0, waiting: [] };
    this.#lanes.set(work.target, lane);
    lane.waiting.push(work);
    this.#size += 1;
    this.#advance(work.target, lane);
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return this.#size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #advance(target: string, lane: Lane<Work>): void {
    while (lane.running < this.perTarget && lane.waiting.length > 0) {
      lane.running += 1;
      void this.run(lane.waiting.shift()!).finally(() => this.#done(target, lane));
    }
  }

  #done(target: string, lane: Lane<Work>): void {
    lane.running -= 1;
    this.#size -= 1;
    this.#advance(target, lane);
    if (lane.running === 0) this.#lanes.delete(target);
    if (this.#size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
