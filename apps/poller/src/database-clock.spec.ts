import { expect, it } from '@jest/globals';
import { DatabaseClock } from './database-clock.js';

it('tells database time by the monotonic clock, whatever the system clock says', () => {
  let monotonicMs = 1000;
  const clock = new DatabaseClock(() => monotonicMs);
  clock.observe(new Date('2031-05-01T12:00:00Z'), 1000);
  expect(clock.toMonotonicMs(new Date('2031-05-01T12:02:00Z'))).toBe(121_000);
  monotonicMs = 31_000;
  expect(clock.now()).toEqual(new Date('2031-05-01T12:00:30Z'));
});

it('follows the database when its time is read again', () => {
  const clock = new DatabaseClock(() => 5000);
  clock.observe(new Date('2031-05-01T12:00:00Z'), 1000);
  clock.observe(new Date('2031-05-01T12:00:10Z'), 5000);
  expect(clock.now()).toEqual(new Date('2031-05-01T12:00:10Z'));
});

it('knows by how much it may be ahead: by the longest statement that told it the time', () => {
  let monotonicMs = 1000;
  const clock = new DatabaseClock(() => monotonicMs);
  monotonicMs = 1300;
  clock.observe(new Date('2031-05-01T12:00:00Z'), 1000);
  monotonicMs = 5010;
  clock.observe(new Date('2031-05-01T12:00:03Z'), 5000);
  expect(clock.aheadMs).toBe(300);
});
