import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellsOf, ends, endsOfBrokenCommit, points } from './poller-cells.js';
import { PollerHouse, type Ended } from './poller-house.js';

const sideBySide = 4;
const limitMs = 600_000;

/**
 * Faults F2 and F8: kill -9 of a real poller at each point where it waits for an answer, and what the next one makes of
 * it; and commits of which the poller does not learn whether they were made.
 */
describe('a poller', () => {
  const kills = points.flatMap((point) => cellsOf(ends[point]).map(([answer, end]) => ({ point, answer, end })));
  const breaks = (['before', 'after'] as const).flatMap((side) =>
    cellsOf(endsOfBrokenCommit).map(([answer, end]) => ({ side, answer, end })),
  );
  const houses: PollerHouse[] = [];
  const came = new Map<object, Promise<Ended>>();

  // Each house has one poller at a time, and its cells come one after the other; the houses run side by side.
  beforeAll(async () => {
    const last: Promise<unknown>[] = [];
    for (let count = 0; count < sideBySide; count++) houses.push(await PollerHouse.open());
    const begin = (cell: object, index: number, run: (house: PollerHouse) => Promise<Ended>) => {
      const ended = Promise.resolve(last[index % sideBySide]).then(() => run(houses[index % sideBySide]!));
      last[index % sideBySide] = ended.catch(() => undefined);
      came.set(cell, ended);
    };
    kills.forEach((cell, index) => begin(cell, index, (house) => house.cell(cell.point, cell.answer)));
    breaks.forEach((cell, index) => begin(cell, index, (house) => house.brokenCommit(cell.side, cell.answer)));
  }, limitMs);
  afterAll(() => Promise.all(houses.map((house) => house.close())), limitMs);

  it.each(kills)(
    'killed at the point "$point", the answer being "$answer": $end',
    async (cell) => expect(await came.get(cell)).toEqual({ end: cell.end, events: 1 }),
    limitMs,
  );

  it.each(breaks)(
    'whose connection breaks $side the commit of "$answer": $end, once',
    async (cell) => expect(await came.get(cell)).toEqual({ end: cell.end, events: 1 }),
    limitMs,
  );
});
