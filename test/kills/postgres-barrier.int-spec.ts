import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { freshDatabase, type FreshDatabase } from '../support/postgres.js';
import { Arrivals } from './arrivals.js';
import { PostgresBarrier, type Side } from './postgres-barrier.js';

let database: FreshDatabase;
let barrier: PostgresBarrier;
let client: Client;
beforeEach(async () => {
  database = await freshDatabase();
  barrier = await PostgresBarrier.open(database.url);
  client = new Client({ connectionString: barrier.url });
  client.on('error', () => undefined);
  await client.connect();
}, 60_000);
afterEach(async () => {
  await client.end();
  await database.drop();
}, 60_000);

it.each<Side>(['before', 'after'])('stops one statement %s its commit for everybody that it is about', async (side) => {
  const arrivals = new Arrivals(['one', 'other']);
  for (const who of ['one', 'other']) barrier.stop({ statement: 'both', about: [who], side, then: 'wait', arrivals });
  const cut = client
    .query({ name: 'both', text: 'select $1::text, $2::text', values: ['one', 'other'] })
    .catch(() => 'cut');
  await arrivals.complete(() => 'Not everybody came.');
  await barrier.close();
  expect(await cut).toBe('cut');
});
