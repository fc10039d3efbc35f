import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { aRequest, openFixture, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';

let fixture: DatabaseFixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

it('claims what was tried in vain after what was never tried', async () => {
  const { database, rule } = fixture;
  const ids: string[] = [];
  database.onEvents((events) => ids.push(...events.map((event) => event.id)));
  for (let n = 0; n < 4; n++) await database.requests.submit(aRequest(rule));
  const sweep = async (limit: number, publishes: boolean): Promise<string[]> => {
    const claimed: string[] = [];
    await database.outbox.sweep({ limit, olderThanMs: 0 }, async (events) => {
      claimed.push(...events.map((event) => event.id));
      return publishes ? claimed : [];
    });
    return claimed;
  };

  expect(await sweep(2, false)).toEqual(ids.slice(0, 2));
  expect(await sweep(2, true)).toEqual(ids.slice(2));
  expect(await sweep(2, true)).toEqual(ids.slice(0, 2));
  expect(await sweep(2, true)).toEqual([]);
});
