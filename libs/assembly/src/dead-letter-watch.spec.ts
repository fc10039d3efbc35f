import { expect, it } from '@jest/globals';
import { metrics, type Log } from '#lib/runtime';
import { DeadLetterWatch } from './dead-letter-watch.js';

it('counts the dead letters of its services, and raises the alarm once for each that comes', async () => {
  const counts = new Map<string, number>();
  const asked: (readonly string[])[] = [];
  const alarms: unknown[] = [];
  const ignore = () => undefined;
  const error = (message: string, detail?: object) => void alarms.push({ message, ...detail });
  const log: Log = { debug: ignore, info: ignore, warn: ignore, error, child: () => log };
  const count = async (queues: readonly string[]) => {
    asked.push(queues);
    return new Map([...counts].filter(([queue]) => queues.includes(queue)));
  };
  const watch = new DeadLetterWatch({ count }, log);
  await watch.look();
  expect(asked).toEqual([]);
  watch.add('ciba-worker');
  await watch.stop();
  expect(asked.at(-1)).toEqual(['ciba-worker.authorization.requested']);

  const queue = 'ciba-worker.authorization.requested';
  for (const number of [0, 2, 2, 3, 1, 2]) {
    counts.set(queue, number);
    await watch.look();
  }
  expect(alarms).toEqual([
    { message: 'Messages were given up', queue, deadLetters: 2, before: 0 },
    { message: 'Messages were given up', queue, deadLetters: 3, before: 2 },
    { message: 'Messages were given up', queue, deadLetters: 2, before: 1 },
  ]);
  expect(await metrics.metrics()).toContain(`assent_dead_letters{queue="${queue}"} 2`);
});
