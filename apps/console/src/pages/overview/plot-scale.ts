/** The size of a plot in its own units; it is drawn as wide as there is room. */
export const plot = { width: 640, height: 180, left: 44, bottom: 22, top: 8 } as const;

/** A number at which an axis can end: 1, 2 or 5 times a power of ten, not below `value` and not below 1. */
export function axisEnd(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((end) => end >= value)!;
}

// Halves of these read well, too.
const timeEnds = [1, 2, 4, 10, 20, 60, 120, 240, 600, 1_200, 3_600, 7_200, 14_400, 43_200, 86_400];

/** A length of time in seconds at which an axis can end, not below `seconds`: 20 s, 2 min, 1 h. */
export const timeAxisEnd = (seconds: number): number =>
  timeEnds.find((end) => end >= seconds) ?? Math.ceil(seconds / 86_400) * 86_400;

/** How high a value stands above the ground of the plot, in its units. */
export const heightOf = (value: number, end: number): number => (value / end) * (plot.height - plot.bottom - plot.top);

/** Where the middle of a part of the time stands. */
export const middleOf = (index: number, count: number): number =>
  plot.left + ((plot.width - plot.left) / count) * (index + 0.5);

const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric' });

/** Some of the instants, for the axis of time. */
export function timeMarks(
  instants: readonly string[],
  window: string,
): ReadonlyArray<readonly [index: number, text: string]> {
  const every = Math.ceil(instants.length / 6);
  const format = window === '7d' ? day : hour;
  return instants.flatMap((at, index) => (index % every === 0 ? [[index, format.format(new Date(at))] as const] : []));
}
