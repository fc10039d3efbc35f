export interface LaneLimits {
  /** Calls to one provider at the same time. */
  readonly inFlight: number;
  /** Requests of one provider that this process has taken on and not finished. */
  readonly members: number;
  /** Requests beyond those that are remembered until there is room. */
  readonly standBy: number;
}

/** A place in a provider's lane. */
export interface Place {
  /** Runs a call when its turn comes; rejects as the call does. */
  turn<Result>(call: () => Promise<Result>): Promise<Result>;
  /** Gives the place back; called once. */
  leave(): void;
}

interface Lane {
  members: number;
  inFlight: number;
  readonly waiting: (() => void)[];
  readonly standingBy: ((place: Place) => void)[];
}

/** Keeps the providers apart: each has its own calls in flight and its own queue, so that a slow one holds up itself only. */
export class ProviderLanes {
  readonly #lanes = new Map<string, Lane>();

  constructor(private readonly limits: LaneLimits) {}

  /** A place in the provider's lane; null when the lane is full. */
  enter(providerId: string): Place | null {
    const lane = this.#lanes.get(providerId) ?? { members: 0, inFlight: 0, waiting: [], standingBy: [] };
    if (lane.members >= this.limits.members) return null;
    this.#lanes.set(providerId, lane);
    return this.#place(providerId, lane);
  }

  /**
   * Hands over the next place that becomes free in a full lane, in the order in which one stood by; whoever gets it has
   * to give it back. False: too many stand by, or the lane is not full.
   */
  standBy(providerId: string, whenFree: (place: Place) => void): boolean {
    const lane = this.#lanes.get(providerId);
    if (lane === undefined || lane.members < this.limits.members) return false;
    if (lane.standingBy.length >= this.limits.standBy) return false;
    lane.standingBy.push(whenFree);
    return true;
  }

  #place(providerId: string, lane: Lane): Place {
    lane.members++;
    return { turn: (call) => this.#turn(lane, call), leave: () => this.#leave(providerId, lane) };
  }

  async #turn<Result>(lane: Lane, call: () => Promise<Result>): Promise<Result> {
    if (lane.inFlight >= this.limits.inFlight) await new Promise<void>((resolve) => lane.waiting.push(resolve));
    else lane.inFlight++;
    try {
      return await call();
    } finally {
      // Whoever waits longest inherits the turn; the number in flight stays.
      const next = lane.waiting.shift();
      if (next) next();
      else lane.inFlight--;
    }
  }

  #leave(providerId: string, lane: Lane): void {
    lane.members--;
    const next = lane.standingBy.shift();
    if (next) next(this.#place(providerId, lane));
    else if (lane.members === 0) this.#lanes.delete(providerId);
  }
}
