/** A machine that is busy elsewhere takes many times its usual second for everything. */
export const limitMs = 120_000;
/** How long those that are still on their way are waited for once the first has arrived, in ms. */
const straggleMs = 4_000;

/** Who has come to a point so far. */
export class Arrivals {
  readonly #there = new Set<string>();
  readonly #first: Promise<void>;
  readonly #all: Promise<void>;
  #firstCame: () => void = () => undefined;
  #allCame: () => void = () => undefined;

  constructor(private readonly expected: readonly string[]) {
    this.#first = new Promise((resolve) => (this.#firstCame = resolve));
    this.#all = new Promise((resolve) => (this.#allCame = resolve));
  }

  add(who: string): void {
    this.#there.add(who);
    this.#firstCame();
    if (this.expected.every((each) => this.#there.has(each))) this.#allCame();
  }

  has(who: string): boolean {
    return this.#there.has(who);
  }

  /**
   * Resolves when everybody is there.
   *
   * @throws when somebody does not come
   */
  complete(problem: () => string): Promise<void> {
    return within(limitMs, this.#all, problem);
  }

  /**
   * Resolves when everybody is there, or when the first has been there for a while: what a service does a few at a time
   * does not begin with the others before it is done with the first, and that it waits for those shows nowhere.
   *
   * @throws when nobody comes
   */
  async gathered(problem: () => string): Promise<void> {
    await within(limitMs, this.#first, problem);
    await Promise.race([this.#all, elapsed(straggleMs)]);
  }
}

/** @throws an error of this text when the work takes longer */
export async function within<Result>(limit: number, work: Promise<Result>, problem: () => string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(problem())), limit);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks again until there is something else than undefined. */
export async function eventually<Result>(
  look: () => Promise<Result | undefined>,
  problem: () => string,
): Promise<Result> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(problem());
    await elapsed(50);
  }
}

const elapsed = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref());
