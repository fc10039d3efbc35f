import type { Contestant } from '../harness/contestant.js';
import type { Series } from '../harness/rounds.js';
import type { Stage } from '../harness/stage.js';

/** One figure that must be reached. */
export interface Target {
  /** What is compared, with the figure: `≥ 2 × Fastify + one statement`. */
  readonly text: string;
  /** What came out; null: it could not be measured, because a peer was missing. */
  readonly measured: number | null;
  readonly reached: boolean;
}

/** One hop, with everybody who takes part. */
export interface Scenario {
  /** As on the command line. */
  readonly name: string;
  /** The numbers under which its targets are known, such as `B1`. */
  readonly ids: readonly string[];
  readonly title: string;
  /** What one operation is. */
  readonly unit: string;
  /** Whether a higher rate is what counts, or another figure. */
  readonly says: string;
  /** How long it takes on two cores, in s: what comes before the first run, and one run of everybody. */
  readonly takes: { readonly prepare: number; readonly round: number };
  /** Left out of a quick run of everything. */
  readonly notQuick?: true;
  /** Rounds of it at most, where Assent is compared with itself and the figures hardly scatter. */
  readonly atMostRounds?: number;
  /** Rates are offered and not reached: they say nothing, and stand in no plot. */
  readonly rateIsSet?: true;
  /** Runs when it is named, and not in a run of everything. */
  readonly onRequest?: true;
  prepare(stage: Stage): Promise<readonly Contestant[]>;
  targets(series: readonly Series[]): readonly Target[];
}
