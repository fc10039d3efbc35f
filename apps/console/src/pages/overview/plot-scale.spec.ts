import { expect, it } from '@jest/globals';
import { axisEnd, heightOf, middleOf, plot, timeAxisEnd, timeMarks } from './plot-scale.js';

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

it.each([
  [0.3, 1],
  [2, 2],
  [8, 10],
  [87, 120],
  [200, 240],
  [200_000, 259_200],
])('an axis for %d s ends at %d s', (seconds, end) => {
  expect(timeAxisEnd(seconds)).toBe(end);
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
