import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiHouse, callsTogether, type ApiCall, type Repeated } from './api-house.js';
import { limitMs } from './arrivals.js';
import type { Side } from './postgres-barrier.js';
import { SideBySide } from './side-by-side.js';

const done = { code: null, requests: 1, events: 1, uses: 0 };
const used = { ...done, status: 200, next: 409, uses: 1 };

/** What a caller is told who repeats a call whose answer was lost with the service. */
const cells: Readonly<Record<Side, Readonly<Record<ApiCall, Repeated>>>> = {
  before: {
    submit: { ...done, status: 202, replayed: false, next: 202 },
    cancel: { ...done, status: 200, replayed: false, next: 200 },
    'consume with a key': { ...used, replayed: false },
    consume: { ...used, replayed: false },
  },
  after: {
    submit: { ...done, status: 202, replayed: true, next: 202 },
    cancel: { ...done, status: 200, replayed: false, next: 200 },
    'consume with a key': { ...used, replayed: true },
    // Without a key nobody can tell the caller whose answer was lost from another one.
    consume: { ...used, status: 409, code: 'already_consumed', replayed: false },
  },
};

/** `kill -9` of a real rules service before and after the commit of what its caller wants. */
describe('a rules service', () => {
  const all = (['before', 'after'] as const).flatMap((side) =>
    Object.entries(cells[side]).map(([call, told]) => ({ side, call: call as ApiCall, told })),
  );
  const houses = new SideBySide<ApiHouse, Map<ApiCall, Repeated>>(2, () => ApiHouse.open());
  const nameOf = (side: Side, calls: readonly ApiCall[]) => `${side} ${calls.join()}`;

  beforeAll(async () => {
    await houses.open();
    for (const calls of callsTogether) {
      for (const side of ['before', 'after'] as const) {
        houses.begin(nameOf(side, calls), (house) => house.kill(side, calls));
      }
    }
  }, 2 * limitMs);
  afterAll(() => houses.close(), limitMs);

  it.each(all)(
    'killed $side the commit of "$call": done once, however often the call comes',
    async ({ side, call, told }) => {
      const calls = callsTogether.find((together) => together.includes(call))!;
      expect((await houses.came(nameOf(side, calls))).get(call)).toEqual(told);
    },
    5 * limitMs,
  );
});
