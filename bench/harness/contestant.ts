/** Whose work is measured: ours, the least that the hop can cost, or what somebody would build instead. */
export type Kind = 'assent' | 'limit' | 'peer';

/** What one run of one contestant came to. */
export interface Sample {
  /** Things done; each was verified. */
  readonly operations: number;
  readonly seconds: number;
  /** Processor time of all operations together, in µs, by role: `app`, `postgres`, `rabbitmq`, `redis`, … */
  readonly micros: Readonly<Record<string, number>>;
  /** Figures of the scenario's own, for example `p99 ms`. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** Somebody who takes part in a scenario. */
export interface Contestant {
  readonly name: string;
  readonly kind: Kind;
  /** One run; throws when a result is missing, wrong or there twice. Warm-up runs are shorter and are not counted. */
  run(turn: Turn): Promise<Sample>;
  /** Ends what it started. */
  stop?(): Promise<void>;
}

/** Which run it is. */
export interface Turn {
  readonly warmUp: boolean;
  /** From 1. */
  readonly round: number;
  /** True for a short run of everything, whose figures are for development only. */
  readonly quick: boolean;
}
