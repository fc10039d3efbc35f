/** How much may be under way. */
export interface LaneLimits {
  /** Of one target at a time. */
  readonly perTarget: number;
  /** Of one target beside them, so that the next ones are at hand when those have ended; 0 unless given. */
  readonly waitingPerTarget?: number;
  /** Of all targets together, not counting what is slow. */
  readonly prompt: number;
  /** Slow ones of all targets together. */
  readonly slow: number;
  /** What runs for so long counts as slow, in ms. */
  readonly slowAfterMs: number;
}

/** A place that is held for work which is about to come. */
export interface Place<Work> {
  /** Runs it there at once; it is of the target that the place was held for. */
  run(work: Work): void;
  /** None has come. */
  free(): void;
}

interface Lane<Work> {
  readonly target: string;
  running: number;
  slow: number;
  readonly waiting: Work[];
}

/** One piece of work under way. */
interface Run<Work> {
  readonly work: Work;
  readonly lane: Lane<Work>;
  readonly cutOff: AbortController;
  slow: boolean;
}

/** Calls back after so many ms; the answer calls it off. */
export type Later = (afterMs: number, call: () => void) => () => void;

const later: Later = (afterMs, call) => {
  const timer = setTimeout(call, afterMs);
  return () => clearTimeout(timer);
};

/**
 * One lane per target: so many at a time in each, the rest of that target waits, the other targets pass.
 *
 * A place among all is held for `slowAfterMs` at most: what takes longer moves to the slow ones. When those are too
 * many, the one that has taken longest is cut off. So however many targets hang, the others wait for a place no longer
 * than that.
 */
export class Lanes<Work extends { readonly target: string }> {
  readonly #lanes = new Map<string, Lane<Work>>();
  /** In the order in which they have become slow. */
  readonly #slow = new Set<Run<Work>>();
  #size = 0;
  #running = 0;
  #whenIdle: Array<() => void> = [];

  constructor(
    private readonly limits: LaneLimits,
    /** Must not reject, and must end soon after the signal aborts. */
    private readonly run: (work: Work, signal: AbortSignal) => Promise<void>,
    private readonly after: Later = later,
  ) {}

  /** How many are running or waiting, in all lanes. */
  get size(): number {
    return this.#size;
  }

  /** How many may be added. What waits for a slow one of its own target takes no place from the others. */
  get room(): number {
    let waiting = 0;
    for (const lane of this.#lanes.values()) if (lane.slow === 0) waiting += lane.waiting.length;
    return Math.max(0, this.limits.prompt - (this.#running - this.#slow.size) - waiting);
  }

  /** The targets that get no more for now: enough is under way there, or something that is slow. */
  full(): string[] {
    const { perTarget, waitingPerTarget = 0 } = this.limits;
    return [...this.#lanes]
      .filter(([, lane]) => lane.slow > 0 || lane.running + lane.waiting.length >= perTarget + waitingPerTarget)
      .map(([target]) => target);
  }

  /** Runs the work, now or when it is its turn. */
  add(work: Work): void {
    const lane = this.#laneOf(work.target);
    this.#lanes.set(work.target, lane);
    lane.waiting.push(work);
    this.#size += 1;
    this.#advance(lane);
  }

  /** Holds a place for work of this target that could run at once; null when it would have to wait. */
  hold(target: string): Place<Work> | null {
    const lane = this.#laneOf(target);
    const free = lane.running < this.limits.perTarget && lane.waiting.length === 0 && lane.slow === 0;
    if (!free || this.room === 0) return null;
    this.#lanes.set(target, lane);
    this.#size += 1;
    this.#take(lane);
    return { run: (work) => this.#start(lane, work), free: () => this.#leave(lane) };
  }

  /** Resolves when nothing runs, nothing waits and no place is held. */
  idle(): Promise<void> {
    return this.#size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #advance(lane: Lane<Work>): void {
    while (lane.running < this.limits.perTarget && lane.waiting.length > 0) {
      this.#take(lane);
      this.#start(lane, lane.waiting.shift()!);
    }
  }

  #laneOf(target: string): Lane<Work> {
    return this.#lanes.get(target) ?? { target, running: 0, slow: 0, waiting: [] };
  }

  #take(lane: Lane<Work>): void {
    lane.running += 1;
    this.#running += 1;
  }

  #start(lane: Lane<Work>, work: Work): void {
    const run: Run<Work> = { work, lane, cutOff: new AbortController(), slow: false };
    const callOff = this.after(this.limits.slowAfterMs, () => this.#becomesSlow(run));
    void this.run(work, run.cutOff.signal).finally(() => {
      callOff();
      this.#done(run);
    });
  }

  #becomesSlow(run: Run<Work>): void {
    if (this.#slow.size >= this.limits.slow) {
      const [longest] = this.#slow;
      this.#isSlow(longest!, false);
      longest!.cutOff.abort();
    }
    this.#isSlow(run, true);
  }

  #isSlow(run: Run<Work>, slow: boolean): void {
    if (run.slow === slow) return;
    run.slow = slow;
    run.lane.slow += slow ? 1 : -1;
    if (slow) this.#slow.add(run);
    else this.#slow.delete(run);
  }

  #done(run: Run<Work>): void {
    this.#isSlow(run, false);
    this.#leave(run.lane);
  }

  #leave(lane: Lane<Work>): void {
    lane.running -= 1;
    this.#running -= 1;
    this.#size -= 1;
    this.#advance(lane);
    if (lane.running === 0) this.#lanes.delete(lane.target);
    if (this.#size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
