import { createHash, randomUUID } from 'node:crypto';
import { connect, type Channel, type ConsumeMessage } from 'amqplib';
import pg from 'pg';
import { Pool } from 'undici';
import { serve } from '../harness/serve.js';

/**
 * Consumes, calls the provider, writes the rows that Assent writes about it in one shared commit after the call, and
 * acknowledges. Nothing is on record before the call, nothing is encrypted or judged, and no event is published.
 */
export interface StartsLimit {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly issuer: string;
  readonly queue: string;
}

const tables = /* sql */ `
  create table bench_requests (like authorization_requests including all);
  create table bench_attempts (like start_attempts including all);
  create table bench_inbox (like inbox including all);
  create table bench_timeline (like request_timeline including all);
  create table bench_outbox (like outbox including all)`;
const fillRows = /* sql */ `
  insert into bench_requests (id, shard, api_client_id, idempotency_key, body_hash, rule_id, rule_version, rule_name,
    token_provider_id, attributes, login_hint, metadata, request_hash, subject_key)
  select id, 0, id, id::text, '', id, 1, 'Approve a payment', id, decode(repeat('5a', 90), 'hex'),
    decode(repeat('5a', 60), 'hex'), '{}', 'hash', decode(md5(id::text), 'hex')
  from (select gen_random_uuid() as id from generate_series(1, $1::integer)) as made
  returning id`;
const acknowledge = /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id uuid, auth_req_id text, auth_req_id_sha256 bytea, expires_in integer, attempt_id uuid, event_id uuid)
  ), changed as (
    update bench_requests r set status = 'pending', state_version = r.state_version + 1, sent_at = clock_timestamp(),
      auth_req_id = input.auth_req_id::bytea, auth_req_id_sha256 = input.auth_req_id_sha256, interval_seconds = 5,
      expires_at = clock_timestamp() + input.expires_in * interval '1 second'
    from input where r.id = input.id and r.status = 'requested'
    returning r.id, r.sent_at, input.attempt_id, input.event_id
  ), attempted as (
    insert into bench_attempts (id, request_id, number, instance_id, sent_at, lapses_at, closed_at, outcome)
    select attempt_id, id, 1, 'bench', sent_at, sent_at, sent_at, 'acknowledged' from changed
  ), heard as (
    insert into bench_inbox (consumer, event_id) select 'bench', id::text from changed
  ), told as (
    insert into bench_timeline (request_id, at, type, detail) select id, sent_at, 'sent', '{}' from changed
  )
  insert into bench_outbox (id, exchange, routing_key, event)
  select event_id, 'assent.authorizations', 'authorization.initiated', json_build_object(
    'specversion', '1.0', 'id', event_id, 'source', '/assent/bench', 'type', 'assent.authorization.initiated.v1',
    'subject', id, 'time', sent_at, 'datacontenttype', 'application/json',
    'data', json_build_object('authorizationRequestId', id, 'status', 'pending'))
  from changed`;

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
let pending = 0;
let done: () => void = () => undefined;

async function start(given: StartsLimit): Promise<void> {
  config = given;
  database = new pg.Pool({ connectionString: given.databaseUrl, max: 4 });
  await database.query(tables);
  provider = new Pool(given.issuer, { connections: 64, pipelining: 1 });
  channel = await (await connect(given.amqpUrl, { noDelay: true })).createChannel();
  await channel.assertQueue(given.queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.prefetch(256);
}

async function fill(count: number): Promise<void> {
  const { rows } = await database.query<{ id: string }>(fillRows, [count]);
  await database.query('vacuum analyze bench_requests');
  for (const { id } of rows)
    channel.sendToQueue(config.queue, Buffer.from(JSON.stringify({ id })), { persistent: true });
}

/** Starts all that waits; answers how many are pending then. */
async function run(count: number): Promise<number> {
  left = count;
  pending = 0;
  const all = new Promise<void>((resolve) => (done = resolve));
  const { consumerTag } = await channel.consume(config.queue, (message) => void (message && ask(message)));
  tag = consumerTag;
  await all;
  await channel.cancel(tag);
  return pending;
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
    const rows = batch.map(({ id, auth_req_id, expires_in }) => ({
      id,
      auth_req_id,
      auth_req_id_sha256: `\\x${createHash('sha256').update(auth_req_id).digest('hex')}`,
      expires_in,
      attempt_id: randomUUID(),
      event_id: randomUUID(),
    }));
    const values = [JSON.stringify(rows)];
    const { rowCount } = await database.query({ name: 'acknowledge', text: acknowledge, values });
    pending += rowCount ?? 0;
    for (const { message } of batch) channel.ack(message);
    left -= batch.length;
  }
  committing = false;
  if (left === 0) done();
}

serve({ start, fill, run });
