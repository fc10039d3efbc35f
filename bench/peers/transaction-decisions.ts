import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type ConfirmChannel } from 'amqplib';
import pg from 'pg';
import { Agent, request } from 'undici';
import { serve } from '../harness/serve.js';
import { sharedNowMs } from '../outside/stub-provider.js';
import type { SteadyApprovals } from '../seed/main.js';

/**
 * Decisions as they are usually recorded and delivered: a transaction for each approval, a message with a confirmation, a
 * consumer with a transaction for each decision, and a call with an HMAC over a pool of keep-alive connections.
 */
export interface TransactionDecisions {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly callbackUrls: readonly string[];
  /** Whether it also records and delivers what it has approved; it does unless this is false. */
  readonly records?: false;
}

const tables = /* sql */ `
  create table requests (id uuid primary key, status text not null, callback_url text not null, approved_at timestamptz);
  create table decisions (id uuid primary key, request_id uuid not null unique references requests(id), document json not null);
  create table deliveries (id uuid primary key, decision_id uuid not null references decisions(id), state text not null,
    attempts integer not null default 0, delivered_at timestamptz)`;
const queue = 'peer.decisions';
/** Messages under way in the consumer; the pool has ten connections, the callbacks fifty places. */
const prefetch = 50;
const secret = 'a secret of the benchmark';

let database: pg.Pool;
let channel: ConfirmChannel;
/** A call that gets no answer is given up after ten seconds, as long as Assent waits. */
const agent = new Agent({ connections: 50, pipelining: 1, headersTimeout: 10_000, bodyTimeout: 10_000 });
let callbackUrls: readonly string[] = [];

async function start(config: TransactionDecisions): Promise<void> {
  callbackUrls = config.callbackUrls;
  database = new pg.Pool({ connectionString: config.databaseUrl, max: 10 });
  await database.query(tables);
  const connection = await connect(config.amqpUrl, { noDelay: true });
  channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  if (config.records === false) return;
  const consumer = await connection.createChannel();
  await consumer.prefetch(prefetch);
  await consumer.consume(queue, (message) => {
    if (message === null) return;
    const id = message.content.toString();
    record(id).then(
      () => consumer.ack(message),
      () => consumer.nack(message),
    );
  });
}

async function pending(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await database.query(
    `insert into requests (id, status, callback_url)
     select id, 'pending', ($2::text[])[1 + (position - 1) % cardinality($2::text[])]
     from unnest($1::uuid[]) with ordinality as pending (id, position)`,
    [ids, callbackUrls],
  );
  return ids;
}

async function inTransaction<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await database.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/** Approves one after the other, as many at a time as the pool has connections, and tells the consumer of each. */
async function approve(ids: readonly string[]): Promise<Map<string, number>> {
  const at = new Map<string, number>();
  const left = [...ids];
  const worker = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      await approveOne(id);
      at.set(id, sharedNowMs());
      await new Promise<void>((resolve, reject) =>
        channel.sendToQueue(queue, Buffer.from(id), { persistent: true }, (error) =>
          error ? reject(error as Error) : resolve(),
        ),
      );
    }
  };
  await Promise.all(Array.from({ length: 50 }, worker));
  return at;
}

const approveOne = (id: string): Promise<void> =>
  inTransaction(async (client) => {
    await client.query({ name: 'lock', text: 'select status from requests where id = $1 for update', values: [id] });
    const text = `update requests set status = 'approved', approved_at = now() where id = $1 and status = 'pending'`;
    await client.query({ name: 'approve', text, values: [id] });
  });

async function record(requestId: string): Promise<void> {
  const decision = { id: randomUUID(), authorizationRequestId: requestId, outcome: 'approved', decidedAt: new Date() };
  const document = JSON.stringify(decision);
  const deliveryId = randomUUID();
  const url = await inTransaction(async (client) => {
    const found = await client.query<{ callback_url: string }>({
      name: 'find',
      text: `select callback_url from requests where id = $1 and status = 'approved' for update`,
      values: [requestId],
    });
    const text = 'insert into decisions (id, request_id, document) values ($1, $2, $3)';
    await client.query({ name: 'decide', text, values: [decision.id, requestId, document] });
    const delivery = `insert into deliveries (id, decision_id, state) values ($1, $2, 'pending')`;
    await client.query({ name: 'deliver', text: delivery, values: [deliveryId, decision.id] });
    return found.rows[0]!.callback_url;
  });
  const body = `{"type":"decision.approved","timestamp":"${new Date().toISOString()}","data":${document}}`;
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', secret).update(`${decision.id}.${timestamp}.${body}`).digest('base64');
  const sent = await request(url, {
    dispatcher: agent,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': decision.id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': `v1,${signature}`,
    },
    body,
  }).catch(() => null);
  await sent?.body.dump();
  // What has failed is left to a later attempt; the message is done with either way.
  const state = sent === null ? 'failed' : 'delivered';
  const done = `update deliveries set state = $2, attempts = 1, delivered_at = now() where id = $1`;
  await database.query({ name: 'done', text: done, values: [deliveryId, state] });
}

/** The same at a steady rate, in this order; each when its transaction has committed. */
async function approveSteadily({ ids, perSecond }: SteadyApprovals): Promise<Map<string, number>> {
  const at = new Map<string, number>();
  const startedAt = performance.now();
  const approved = ids.map(async (id, position) => {
    await pause(Math.max(0, startedAt + (position * 1000) / perSecond - performance.now()));
    await approveOne(id);
    at.set(id, sharedNowMs());
    channel.sendToQueue(queue, Buffer.from(id), { persistent: true });
  });
  await Promise.all(approved);
  return at;
}

serve({ start, pending, approve, approveSteadily });
