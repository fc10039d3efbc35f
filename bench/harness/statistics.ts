/** The middle of some numbers; the mean of the two in the middle when they are even in number. */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new Error('There is no median of nothing.');
  const sorted = [...numbers].sort((one, other) => one - other);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The value that so many percent of a distribution do not exceed (nearest rank). */
export function percentile(numbers: readonly number[] | Float64Array, percent: number): number {
  if (numbers.length === 0) throw new Error('There is no percentile of nothing.');
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}

/** How many observations were at most so much, for each bound; the last is Infinity. */
export type Histogram = ReadonlyMap<number, number>;

/**
 * The value that so many percent of what was observed between two readings do not exceed, as if a bucket's observations
 * were spread evenly over it; in the last bucket its lower bound.
 */
export function percentileBetween(before: Histogram, after: Histogram, percent: number): number {
  const counts = [...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)] as const);
  const wanted = ((counts.at(-1)?.[1] ?? 0) * percent) / 100;
  if (wanted === 0) throw new Error('There is no percentile of nothing.');
  let [lower, below] = [0, 0];
  for (const [bound, count] of counts) {
    if (count >= wanted)
      return bound === Infinity ? lower : lower + ((bound - lower) * (wanted - below)) / (count - below);
    [lower, below] = [bound, count];
  }
  return lower;
}

/** Several measurements of one thing. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The median of some numbers with their range. */
export const spreadOf = (numbers: readonly number[]): Spread => ({
  median: median(numbers),
  least: Math.min(...numbers),
  most: Math.max(...numbers),
});

/** The slope of the straight line that fits points best (least squares). */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}
