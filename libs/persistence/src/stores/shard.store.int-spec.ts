import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { openFixture, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import type { Database } from '../index.js';

describe('shard leases', () => {
  let fixture: DatabaseFixture;
  let database: Database;
  let outside: Client;
  beforeEach(async () => {
    fixture = await openFixture();
    ({ database } = fixture);
    outside = new Client({ connectionString: fixture.url });
    await outside.connect();
  });
  afterEach(async () => {
    await outside.end();
    await fixture.close();
  });

  const lapseAll = () =>
    outside.query(`update poller_shards set lease_until = clock_timestamp() - interval '1 second'`);

  it('gives every shard to exactly one of those who take at the same time', async () => {
    const other = await fixture.reopen();
    const takes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        (index % 2 ? database : other).shards.takeLapsed(`poller-${index}`, 32, 60_000),
      ),
    );
    const more = await database.shards.takeLapsed('poller-0', 256, 60_000);
    const shards = [...takes, more].flatMap(({ taken }) => taken.map(({ shard }) => shard));
    expect([...shards].sort((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, shard) => shard));
  });

  it('renews every shard of its owner at once, and tells of the others', async () => {
    await database.shards.takeLapsed('one', 100, 60_000);
    await database.shards.takeLapsed('two', 56, 60_000);
    const one = await database.shards.renew('one', 60_000);
    expect(one).toMatchObject({ liveInstances: 1, unowned: 100 });
    expect(one.owned).toHaveLength(100);
    expect(one.leaseUntil.getTime() - one.databaseNow.getTime()).toBe(60_000);
    expect(await database.shards.renew('two', 60_000)).toMatchObject({ liveInstances: 2 });
    await database.shards.leave('one');
    expect(await database.shards.renew('two', 60_000)).toMatchObject({ liveInstances: 1 });
  });

  it('counts an instance that stopped renewing as gone', async () => {
    await database.shards.renew('one', 60_000);
    await database.shards.renew('two', 60_000);
    await outside.query(
      `update poller_instances set seen_until = clock_timestamp() - interval '1 second' where id = 'one'`,
    );
    expect(await database.shards.renew('two', 60_000)).toMatchObject({ liveInstances: 1 });
  });

  it('takes nothing that is leased, and raises the epoch of what it takes', async () => {
    await database.shards.takeLapsed('one', 256, 60_000);
    expect((await database.shards.takeLapsed('two', 256, 60_000)).taken).toEqual([]);
    await lapseAll();
    const { taken, databaseNow } = await database.shards.takeLapsed('two', 256, 60_000);
    expect(taken).toHaveLength(256);
    expect(taken.every(({ epoch }) => epoch === 2)).toBe(true);
    // The owner before had not released them.
    expect(taken.every(({ uncleanTakeoverAt }) => uncleanTakeoverAt?.getTime() === databaseNow.getTime())).toBe(true);
    expect((await database.shards.renew('one', 60_000)).owned).toEqual([]);
  });

  it('marks no take-over as unclean after a clean release, and remembers the one before', async () => {
    await database.shards.takeLapsed('one', 256, 60_000);
    await database.shards.release('one', [1, 2, 3], true);
    await database.shards.release('one', [4], false);
    await database.shards.release('somebody else', [5], true);
    const { taken } = await database.shards.takeLapsed('two', 256, 60_000);
    expect(taken.map(({ shard, uncleanTakeoverAt }) => [shard, uncleanTakeoverAt === null])).toEqual([
      [1, true],
      [2, true],
      [3, true],
      [4, false],
    ]);
    await database.shards.release('two', [4], true);
    const again = await database.shards.takeLapsed('three', 256, 60_000);
    expect(again.taken[0]!.uncleanTakeoverAt).toEqual(taken[3]!.uncleanTakeoverAt);
  });

  it('lets the owner renew a lease that lapsed while nobody took it', async () => {
    await database.shards.takeLapsed('one', 256, 60_000);
    await lapseAll();
    const renewed = await database.shards.renew('one', 60_000);
    expect(renewed.owned).toHaveLength(256);
    expect(renewed.owned.every(({ epoch }) => epoch === 1)).toBe(true);
  });

  it('does not renew what was taken while it waited', async () => {
    await database.shards.takeLapsed('one', 256, 60_000);
    await outside.query('begin');
    await outside.query(`update poller_shards set owner = 'two', epoch = epoch + 1 where shard = 7`);
    const renewal = database.shards.renew('one', 60_000);
    await outside.query('select pg_sleep(0.1)');
    await outside.query('commit');
    expect((await renewal).owned).toHaveLength(255);
  });
});
