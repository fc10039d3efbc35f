import { connect, type Channel, type ConsumeMessage } from 'amqplib';
import pg from 'pg';
import { Pool } from 'undici';
import { serve } from '../harness/serve.js';

/** Consumes, calls the provider, compares and sets, acknowledges; the commits are shared, and nothing else is done. */
export interface StartsLimit {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly issuer: string;
  readonly queue: string;
}

const table = /* sql */ `
  create table starts (id uuid primary key, status text not null default 'requested', auth_req_id text, expires_at timestamptz)`;
const acknowledge = /* sql */ `
  update starts s set status = 'pending', auth_req_id = i.auth_req_id, expires_at = now() + i.expires_in * interval '1 second'
  from json_to_recordset($1::json) as i (id uuid, auth_req_id text, expires_in integer)
  where s.id = i.id and s.status = 'requested'`;

interface Started {
  readonly id: string;
  readonly auth_req_id: string;
  readonly expires_in: number;
  readonly message: ConsumeMessage;
}

let config: StartsLimit;
let database: pg.Pool;
let channel: Channel;
let provider: Pool;
let tag = '';
const waiting: Started[] = [];
let committing = false;
let left = 0;
let done: () => void = () => undefined;

async function start(given: StartsLimit): Promise<void> {
  config = given;
  database = new pg.Pool({ connectionString: given.databaseUrl, max: 4 });
  await database.query(table);
  provider = new Pool(given.issuer, { connections: 64, pipelining: 1 });
  channel = await (await connect(given.amqpUrl, { noDelay: true })).createChannel();
  await channel.assertQueue(given.queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.prefetch(256);
}

async function fill(count: number): Promise<void> {
  await database.query('truncate starts');
  const text = 'insert into starts (id) select gen_random_uuid() from generate_series(1, $1::integer) returning id';
  const { rows } = await database.query<{ id: string }>(text, [count]);
  for (const { id } of rows)
    channel.sendToQueue(config.queue, Buffer.from(JSON.stringify({ id })), { persistent: true });
}

/** Starts all that waits; answers how many are pending then. */
async function run(count: number): Promise<number> {
  left = count;
  const all = new Promise<void>((resolve) => (done = resolve));
  const { consumerTag } = await channel.consume(config.queue, (message) => void (message && ask(message)));
  tag = consumerTag;
  await all;
  await channel.cancel(tag);
  const { rows } = await database.query<{ number: number }>(
    `select count(*)::integer as number from starts where status = 'pending'`,
  );
  return rows[0]!.number;
}

async function ask(message: ConsumeMessage): Promise<void> {
  const { id } = JSON.parse(message.content.toString()) as { id: string };
  const body = `scope=openid&login_hint=${id}%40example.com&binding_message=Pay+25.00+EUR+to+Shop`;
  const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic YTpi' };
  const answer = await provider.request({ path: '/backchannel', method: 'POST', headers, body });
  const { auth_req_id, expires_in } = (await answer.body.json()) as Started;
  waiting.push({ id, auth_req_id, expires_in, message });
  if (!committing) await commit();
}

/** Whatever has come meanwhile shares a statement. */
async function commit(): Promise<void> {
  committing = true;
  while (waiting.length > 0) {
    const batch = waiting.splice(0, 256);
    const rows = batch.map(({ id, auth_req_id, expires_in }) => ({ id, auth_req_id, expires_in }));
    await database.query({ name: 'acknowledge', text: acknowledge, values: [JSON.stringify(rows)] });
    for (const { message } of batch) channel.ack(message);
    left -= batch.length;
  }
  committing = false;
  if (left === 0) done();
}

serve({ start, fill, run });
