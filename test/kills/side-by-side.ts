/** Houses of one kind: in each, one thing comes after the other; the houses go on side by side. */
export class SideBySide<Inhabited extends { close(): Promise<void> }, Came> {
  readonly #houses: Inhabited[] = [];
  readonly #free: Inhabited[] = [];
  readonly #waiting: ((house: Inhabited) => void)[] = [];
  readonly #came = new Map<string, Promise<Came>>();

  constructor(
    private readonly count: number,
    private readonly build: () => Promise<Inhabited>,
  ) {}

  async open(): Promise<void> {
    this.#houses.push(...(await Promise.all(Array.from({ length: this.count }, this.build))));
    this.#free.push(...this.#houses);
  }

  /** Does this in the next house that is free. */
  begin(name: string, run: (house: Inhabited) => Promise<Came>): void {
    const came = this.#take().then(async (house) => {
      try {
        return await run(house);
      } finally {
        this.#giveBack(house);
      }
    });
    // Whoever asks for it hears of it.
    came.catch(() => undefined);
    this.#came.set(name, came);
  }

  /** What came of it. */
  came(name: string): Promise<Came> {
    return this.#came.get(name)!;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#came.values());
    await Promise.all(this.#houses.map((house) => house.close()));
  }

  #take(): Promise<Inhabited> {
    const house = this.#free.shift();
    return house ? Promise.resolve(house) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(house: Inhabited): void {
    const next = this.#waiting.shift();
    if (next) next(house);
    else this.#free.push(house);
  }
}
