import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type ConfirmChannel } from 'amqplib';
import pg from 'pg';
import { serve } from '../harness/serve.js';
import { Arrivals, type Latencies, type SteadyEvents } from '../limits/arrivals.js';
import { sharedNowMs } from '../outside/stub-provider.js';

/** The usual publisher of an outbox: looks every 100 ms, takes rows with SKIP LOCKED, and publishes with confirmations. */
export interface OutboxPublisher {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly exchange: string;
  readonly routingKey: string;
  /** Rows in one transaction; 1: row by row. */
  readonly batchSize: number;
}

const table = /* sql */ `
  create table outbox (id bigint generated always as identity primary key, event json not null, published_at timestamptz);
  create index outbox_unpublished on outbox (id) where published_at is null`;
const claim = /* sql */ `
  select id, event::text from outbox where published_at is null order by id limit $1 for update skip locked`;
const everyMs = 100;

let config: OutboxPublisher;
let database: pg.Pool;
let channel: ConfirmChannel;

async function start(given: OutboxPublisher): Promise<void> {
  config = given;
  database = new pg.Pool({ connectionString: given.databaseUrl, max: 10 });
  await database.query(table);
  channel = await (await connect(given.amqpUrl, { noDelay: true })).createConfirmChannel();
}

const fill = async ({ count, bytes }: { readonly count: number; readonly bytes: number }): Promise<void> => {
  const text = `insert into outbox (event) select json_build_object('subject', at, 'data', repeat('x', $2)) from generate_series(1, $1::integer) at`;
  await database.query(text, [count, bytes - 30]);
  await database.query('vacuum analyze outbox');
};

async function publishBatch(): Promise<number> {
  const client = await database.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<{ id: string; event: string }>({
      name: 'claim',
      text: claim,
      values: [config.batchSize],
    });
    for (const { event } of rows) {
      channel.publish(config.exchange, config.routingKey, Buffer.from(event), { persistent: true, mandatory: true });
    }
    if (rows.length > 0) await channel.waitForConfirms();
    const ids = rows.map(({ id }) => id);
    const text = 'update outbox set published_at = now() where id = any($1::bigint[])';
    await client.query({ name: 'published', text, values: [ids] });
    await client.query('commit');
    return rows.length;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/** Publishes until nothing is left, without a pause in between. */
async function drain(): Promise<number> {
  let drained = 0;
  for (let batch = await publishBatch(); batch > 0; batch = await publishBatch()) drained += batch;
  return drained;
}

async function latencies({ queue, perSecond, count }: SteadyEvents): Promise<Latencies> {
  const arrivals = await Arrivals.listen(config.amqpUrl, queue);
  const committedAtMs = new Map<string, number>();
  const one = async () => {
    const subject = randomUUID();
    const values = [JSON.stringify({ subject })];
    await database.query({ name: 'insert', text: 'insert into outbox (event) values ($1)', values });
    committedAtMs.set(subject, sharedNowMs());
  };
  const publishing = new AbortController();
  const publisher = (async () => {
    while (!publishing.signal.aborted) if ((await publishBatch()) === 0) await pause(everyMs);
  })();
  return arrivals.measure({ perSecond, count, one, committedAtMs }).finally(async () => {
    publishing.abort();
    await publisher;
  });
}

serve({ start, fill, drain, latencies });
