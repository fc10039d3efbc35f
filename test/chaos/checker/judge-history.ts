import { countersOf, outcomesOf, type Counters } from './counters.js';
import type { History } from './history.js';
import { invariants } from './invariants/index.js';
import { unknownOutcomes } from './invariants/i12-doubt-has-a-cause.js';
import type { Violation } from './judgement.js';
import { judgeRecovery, type Quantiles } from './recovery.js';
import { judgeSometimes, modeOf } from './sometimes.js';

/** What became of one invariant. */
export interface InvariantVerdict {
  /** Null: not judged here. */
  readonly ok: boolean | null;
  readonly claim: string;
  readonly checked: number;
  /** How many there are; the list below is cut. */
  readonly violated: number;
  readonly violations: readonly Violation[];
  readonly notes: readonly string[];
  readonly elsewhere: string | null;
}

/** `verdict.json`. */
export interface Verdict {
  readonly ok: boolean;
  readonly mode: 'full' | 'short';
  readonly seed: number | string;
  readonly requests: number;
  readonly faults: number;
  readonly invariants: Readonly<Record<string, InvariantVerdict>>;
  readonly counters: Counters;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly outcomeUnknown: readonly { readonly requestId: string; readonly cause: string | null }[];
  readonly recovery: Readonly<Record<string, Quantiles>>;
  readonly recoveryViolations: readonly Violation[];
  readonly sometimes: Readonly<Record<string, number>>;
  /** What had to happen at least once, and never did. */
  readonly neverHappened: readonly string[];
  /** Invariants that found nothing to look at, and should have. */
  readonly vacuous: readonly string[];
}

const longestList = 100;
/** What even the shortest run has something of; a run without it proves nothing. */
const neverVacuous = [
  'I1',
  'I2',
  'I3',
  'I4',
  'I8',
  'I9',
  'I11',
  'I14',
  'I15',
  'I16',
  'I17',
  'I18',
  'I19',
  'I20',
  'I22',
  'I24',
  'I25',
];
const neverVacuousInFull = [...neverVacuous, 'I5', 'I6', 'I7', 'I10', 'I12', 'I13', 'I21', 'I26'];

/** Judges a run by every invariant. */
export async function judgeHistory(history: History): Promise<Verdict> {
  const mode = modeOf(history);
  const judged: Record<string, InvariantVerdict> = {};
  for (const { id, claim, elsewhere = null, judge } of invariants) {
    const judgement = (await judge?.(history)) ?? null;
    judged[id] = {
      ok: judgement === null ? null : judgement.violations.length === 0,
      claim,
      checked: judgement?.checked ?? 0,
      violated: judgement?.violations.length ?? 0,
      violations: judgement?.violations.slice(0, longestList) ?? [],
      notes: judgement?.notes ?? [],
      elsewhere,
    };
  }
  const counters = countersOf(history);
  const recovery = judgeRecovery(history.recorded.recovery, history.faults.all, mode);
  const sometimes = judgeSometimes(history);
  const vacuous = (mode === 'full' ? neverVacuousInFull : neverVacuous).filter((id) => judged[id]?.checked === 0);
  const ok =
    Object.values(judged).every((each) => each.ok !== false) &&
    counters.lost + counters.duplicated + counters.unexpected === 0 &&
    recovery.judgement.violations.length === 0 &&
    sometimes.missing.length === 0 &&
    vacuous.length === 0;
  return {
    ok,
    mode,
    seed: history.run.seed,
    requests: history.requests.size,
    faults: history.faults.all.length,
    invariants: judged,
    counters,
    outcomes: outcomesOf(history),
    outcomeUnknown: unknownOutcomes(history),
    recovery: recovery.quantiles,
    recoveryViolations: recovery.judgement.violations,
    sometimes: sometimes.counts,
    neverHappened: sometimes.missing,
    vacuous,
  };
}
