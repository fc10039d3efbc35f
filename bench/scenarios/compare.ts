import type { Sample } from '../harness/contestant.js';
import type { Series } from '../harness/rounds.js';
import { median } from '../harness/statistics.js';
import type { Target } from './scenario.js';

/** One figure of a sample. */
export type Measure = (sample: Sample) => number;

/** Operations a second. */
export const rateOf: Measure = ({ operations, seconds }) => operations / seconds;

/** Processor time of all roles together for one operation, in µs. */
export const costOf: Measure = ({ operations, micros }) =>
  Object.values(micros).reduce((sum, each) => sum + each, 0) / operations;

/** A figure of the scenario's own. */
export const figure =
  (name: string): Measure =>
  ({ figures }) => {
    const value = figures?.[name];
    if (value === undefined) throw new Error(`A sample has no "${name}".`);
    return value;
  };

/** The median of a figure over all runs of somebody; null when they did not take part. */
export function medianOf(series: readonly Series[], name: string, measure: Measure): number | null {
  const samples = series.find((one) => one.name === name)?.samples ?? [];
  return samples.length === 0 ? null : median(samples.map(measure));
}

/** The figure of one must be so many times that of the other. */
export function atLeast(
  series: readonly Series[],
  factor: number,
  one: string,
  other: string,
  measure: Measure,
): Target {
  const text = `at least ${factor} × ${other}`;
  const ratio = ratioOf(series, one, other, measure);
  return { text, measured: ratio, reached: ratio !== null && ratio >= factor };
}

/** The figure of one may be so many times that of the other. */
export function atMost(
  series: readonly Series[],
  factor: number,
  one: string,
  other: string,
  measure: Measure,
  what: string,
): Target {
  const text = `${what} at most ${factor} × that of ${other}`;
  const ratio = ratioOf(series, one, other, measure);
  return { text, measured: ratio, reached: ratio !== null && ratio <= factor };
}

/** A figure of Assent's own may not be more. */
export function notMore(series: readonly Series[], limit: number, what: string, measure: Measure): Target {
  const measured = medianOf(series, 'Assent', measure);
  return { text: `${what} at most ${limit}`, measured, reached: measured !== null && measured <= limit };
}

function ratioOf(series: readonly Series[], one: string, other: string, measure: Measure): number | null {
  const [ours, theirs] = [medianOf(series, one, measure), medianOf(series, other, measure)];
  return ours === null || theirs === null ? null : ours / theirs;
}
