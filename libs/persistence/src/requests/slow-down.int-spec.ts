import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { shardOf } from '#lib/domain';
import { Client } from 'pg';
import { openFixture, pending, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import type { Database } from '../index.js';

describe('an interval that the provider raised (R67)', () => {
  let fixture: DatabaseFixture;
  let database: Database;
  let outside: Client;
  let epochs: Map<number, number>;
  beforeAll(async () => {
    fixture = await openFixture();
    ({ database } = fixture);
    outside = new Client({ connectionString: fixture.url });
    await outside.connect();
    const { taken } = await database.shards.takeLapsed('poller-1', 256, 600_000);
    epochs = new Map(taken.map(({ shard, epoch }) => [shard, epoch]));
  });
  afterAll(async () => {
    await outside.end();
    await fixture.close();
  });

  const fenceOf = (id: string, owner = 'poller-1', stale = 0) => {
    const shard = shardOf(id);
    return { shard, owner, epoch: epochs.get(shard)! - stale };
  };
  const interval = async (id: string) => (await database.requests.pending({ ids: [id] })).work[0]?.intervalSeconds;

  it('is kept for the next owner, whole batches in one statement, and never shrinks', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => pending(database, fixture.rule)));
    await Promise.all(ids.map((id, n) => database.requests.raiseInterval(id, 20 + n, fenceOf(id))));
    expect(await Promise.all(ids.map(interval))).toEqual(ids.map((_, n) => 20 + n));
    await Promise.all(ids.map((id) => database.requests.raiseInterval(id, 15, fenceOf(id))));
    expect(await Promise.all(ids.map(interval))).toEqual(ids.map((_, n) => 20 + n));
  });

  it('is kept for the owner of the shard only', async () => {
    const id = await pending(database, fixture.rule);
    const before = await interval(id);
    await database.requests.raiseInterval(id, 60, fenceOf(id, 'poller-2'));
    await database.requests.raiseInterval(id, 60, fenceOf(id, 'poller-1', 1));
    expect(await interval(id)).toBe(before);
  });

  it('waits for nobody who is about to end the request', async () => {
    const id = await pending(database, fixture.rule);
    const before = await interval(id);
    await outside.query('begin');
    await outside.query('select from authorization_requests where id = $1 for update', [id]);
    await database.requests.raiseInterval(id, 60, fenceOf(id));
    await outside.query('rollback');
    expect(await interval(id)).toBe(before);
  });
});
