import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limitMs } from './arrivals.js';
import { cellsOf, ends, endsOfBrokenCommit, points, type ProviderAnswer } from './poller-cells.js';
import { PollerHouse, type Ended } from './poller-house.js';
import { SideBySide } from './side-by-side.js';

const answersOf = (row: Parameters<typeof cellsOf>[0]) => cellsOf(row).map(([answer]) => answer);

/**
 * `kill -9` of a real poller at each point where it waits for an answer, and what the next one makes of
 * it; and commits of which the poller does not learn whether they were made.
 */
describe('a poller', () => {
  const kills = points.flatMap((point) => cellsOf(ends[point]).map(([answer, end]) => ({ point, answer, end })));
  const breaks = (['before', 'after'] as const).flatMap((side) =>
    cellsOf(endsOfBrokenCommit).map(([answer, end]) => ({ side, answer, end })),
  );
  const houses = new SideBySide<PollerHouse, Map<ProviderAnswer, Ended>>(2, () => PollerHouse.open());

  // One kill for all the answers that may be under way at a point.
  beforeAll(async () => {
    await houses.open();
    for (const point of points) houses.begin(point, (house) => house.kill(point, answersOf(ends[point])));
    for (const side of ['before', 'after'] as const) {
      houses.begin(`break ${side}`, (house) => house.breakCommits(side, answersOf(endsOfBrokenCommit)));
    }
  }, 2 * limitMs);
  afterAll(() => houses.close(), limitMs);

  it.each(kills)(
    'killed at the point "$point", the answer being "$answer": $end',
    async ({ point, answer, end }) => expect((await houses.came(point)).get(answer)).toEqual({ end, events: 1 }),
    5 * limitMs,
  );

  it.each(breaks)(
    'whose connection breaks $side the commit of "$answer": $end, once',
    async ({ side, answer, end }) =>
      expect((await houses.came(`break ${side}`)).get(answer)).toEqual({ end, events: 1 }),
    5 * limitMs,
  );
});
