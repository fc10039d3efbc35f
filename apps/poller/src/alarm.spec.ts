import { expect, it } from '@jest/globals';
import { Alarm } from './alarm.js';

const nowMs = () => performance.now();

it('rings once, at the earliest moment that was asked for', async () => {
  let rings = 0;
  const rang = new Promise<number>((resolve) => {
    const alarm = new Alarm(() => {
      rings++;
      resolve(nowMs());
    }, nowMs);
    alarm.setFor(nowMs() + 60_000);
    alarm.setFor(nowMs() + 5);
    alarm.setFor(nowMs() + 30_000);
  });
  const askedAtMs = nowMs();
  expect(await rang).toBeGreaterThanOrEqual(askedAtMs);
  expect(rings).toBe(1);
});

it('can be set again from within its ring, and stopped', async () => {
  const rings: number[] = [];
  await new Promise<void>((resolve) => {
    const alarm: Alarm = new Alarm(() => {
      rings.push(rings.length);
      if (rings.length < 3) return alarm.setFor(nowMs());
      alarm.setFor(nowMs() + 60_000);
      alarm.stop();
      resolve();
    }, nowMs);
    alarm.setFor(nowMs());
  });
  expect(rings).toEqual([0, 1, 2]);
});
