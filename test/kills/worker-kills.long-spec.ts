import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limitMs } from './arrivals.js';
import { SideBySide } from './side-by-side.js';
import { startCellsOf, startEnds, startEndsOfBrokenCommit, workerPoints } from './worker-cells.js';
import { nameOf, WorkerHouse, type Started } from './worker-house.js';

/** `kill -9` of a real ciba-worker at each point where it waits for an answer, and what the next one makes of it. */
describe('a ciba-worker', () => {
  const cells = workerPoints.flatMap((point) => startCellsOf(startEnds[point]).map((cell) => ({ point, ...cell })));
  const breaks = (['opening', 'commit'] as const).flatMap((what) =>
    (['before', 'after'] as const).flatMap((side) =>
      startCellsOf(startEndsOfBrokenCommit[what]).map((cell) => ({ what, side, ...cell })),
    ),
  );
  const houses = new SideBySide<WorkerHouse, Map<string, Started>>(2, () => WorkerHouse.open());

  beforeAll(async () => {
    await houses.open();
    for (const point of workerPoints) houses.begin(point, (house) => house.kill(point, startCellsOf(startEnds[point])));
    for (const what of ['opening', 'commit'] as const) {
      for (const side of ['before', 'after'] as const) {
        const broken = startCellsOf(startEndsOfBrokenCommit[what]);
        houses.begin(`${what} ${side}`, (house) => house.breakCommits(what, side, broken));
      }
    }
  }, 2 * limitMs);
  afterAll(() => houses.close(), limitMs);

  it.each(cells)(
    'killed at the point "$point", the answer being "$answer" and the rule "$policy": $end',
    async ({ point, end: [end, prompts], ...cell }) =>
      expect((await houses.came(point)).get(nameOf(cell))).toEqual({ end, prompts, events: 1, open: 0 }),
    5 * limitMs,
  );

  it.each(breaks)(
    'whose connection breaks $side the $what, the answer being "$answer" and the rule "$policy": $end',
    async ({ what, side, end: [end, prompts], ...cell }) =>
      expect((await houses.came(`${what} ${side}`)).get(nameOf(cell))).toEqual({ end, prompts, events: 1, open: 0 }),
    5 * limitMs,
  );
});
