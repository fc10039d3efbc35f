import { expect, it } from '@jest/globals';
import { axisEnd, heightOf, middleOf, plot, timeMarks } from './plot-scale.js';

it.each([
  [0, 1],
  [1, 1],
  [1.2, 2],
  [3, 5],
  [7, 10],
  [10, 10],
  [99_000, 100_000],
])('an axis for %d ends at %d', (value, end) => {
  expect(axisEnd(value)).toBe(end);
});

it('stays inside of the plot', () => {
  expect(heightOf(10, 10)).toBe(plot.height - plot.bottom - plot.top);
  expect(middleOf(0, 48)).toBeGreaterThan(plot.left);
  expect(middleOf(47, 48)).toBeLessThan(plot.width);
});

it('marks a few times, however many there are', () => {
  const instants = Array.from({ length: 48 }, (_, index) => new Date(index * 1_800_000).toISOString());
  expect(timeMarks(instants, '24h')).toHaveLength(6);
});
