import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limitMs } from './arrivals.js';
import { SideBySide } from './side-by-side.js';
import { startCellsOf, startEnds, workerPoints } from './worker-cells.js';
import { nameOf, WorkerHouse, type Started } from './worker-house.js';

/** Fault F24: kill -9 of a real ciba-worker at each point where it waits for an answer, and what the next one makes of it. */
describe('a ciba-worker', () => {
  const cells = workerPoints.flatMap((point) => startCellsOf(startEnds[point]).map((cell) => ({ point, ...cell })));
  const houses = new SideBySide<WorkerHouse, Map<string, Started>>(2, () => WorkerHouse.open());

  beforeAll(async () => {
    await houses.open();
    for (const point of workerPoints) houses.begin(point, (house) => house.kill(point, startCellsOf(startEnds[point])));
  }, 2 * limitMs);
  afterAll(() => houses.close(), limitMs);

  it.each(cells)(
    'killed at the point "$point", the answer being "$answer" and the rule "$policy": $end',
    async ({ point, end: [end, prompts], ...cell }) =>
      expect((await houses.came(point)).get(nameOf(cell))).toEqual({ end, prompts, events: 1, open: 0 }),
    5 * limitMs,
  );
});
