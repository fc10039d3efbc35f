import { connect, type Channel } from 'amqplib';
import pg from 'pg';
import type { RelayConfig } from '../engine/relay.js';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { setUpAssent } from '../harness/assent-setup.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Program } from '../harness/program.js';
import type { Stage } from '../harness/stage.js';
import type { Latencies, SteadyEvents } from '../limits/arrivals.js';
import type { RelayLimit } from '../limits/relay.js';
import type { OutboxPublisher } from '../peers/outbox-publisher.js';
import { atLeast, atMost, costOf, figure, notMore, rateOf } from './compare.js';
import type { Scenario } from './scenario.js';
import { until } from './until.js';

const exchange = 'assent.authorizations';
const routingKey = 'authorization.requested';
const queue = 'bench.relayed';
const bytes = 420;
const loop = 'amqplib with batched confirms';
const rowByRow = 'row by row';
const polling = 'every 100 ms, 500 at a time';
const [p50, p99] = ['commit → consumer p50 ms', 'commit → consumer p99 ms'];

/** B2: events that wait in the outbox are published; and how long one waits when it is alone. */
export const relay: Scenario = {
  name: 'relay',
  ids: ['B2'],
  title: 'Publishing from the outbox',
  unit: 'events',
  takes: { prepare: 12, round: 16 },
  notQuick: true,
  says: 'rows that nobody has published yet, into one quorum queue; then 100 events a second, from the commit to the consumer',
  prepare: async (stage) => {
    const channel = await (await connect(stage.rabbit.url)).createChannel();
    await channel.assertExchange(exchange, 'topic', { durable: true });
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(queue, exchange, routingKey);
    const limit: RelayLimit = { amqpUrl: stage.rabbit.url, exchange, routingKey, bytes };
    const program = await stage.program('limits/relay.ts', limit);
    return [
      await assentRelay(stage, channel),
      {
        name: loop,
        kind: 'limit',
        run: (turn) =>
          drained(stage, channel, program.pid, countOf(turn), () => program.call('publish', countOf(turn))),
      },
      await peer(stage, channel, polling, 500),
      await peer(stage, channel, rowByRow, 1),
    ] satisfies Contestant[];
  },
  targets: (series) => [
    atLeast(series, 0.75, 'Assent', loop, rateOf),
    atLeast(series, 20, 'Assent', rowByRow, rateOf),
    atMost(series, 1, 'Assent', polling, costOf, 'processor time'),
    notMore(series, 3, `${p50}`, figure(p50)),
    notMore(series, 15, `${p99}`, figure(p99)),
  ],
};

const countOf = ({ quick }: Turn): number => (quick ? 5_000 : 15_000);

/** Measures a drain; every event must be in the queue afterwards. */
async function drained(stage: Stage, channel: Channel, pid: number, count: number, drain: () => Promise<unknown>) {
  await channel.purgeQueue(queue);
  const meter = stage.meter([pid]);
  const [before, startedAt] = [meter.read(), performance.now()];
  await drain();
  const seconds = (performance.now() - startedAt) / 1000;
  const micros = usedBetween(before, meter.read());
  // A queue counts what is ready a moment after it has confirmed it.
  await until(`${count} events are in the queue`, async () => (await channel.checkQueue(queue)).messageCount >= count);
  const { messageCount } = await channel.checkQueue(queue);
  if (messageCount !== count) throw new Error(`${count} events should be in the queue; it is ${messageCount}.`);
  await channel.purgeQueue(queue);
  return { operations: count, seconds, micros };
}

async function withLatencies(program: Program, sample: Sample, turn: Turn): Promise<Sample> {
  const steady: SteadyEvents = { queue, perSecond: 100, count: turn.quick || turn.warmUp ? 100 : 200 };
  const { p50Ms, p99Ms } = await program.call<Latencies>('latencies', steady);
  return { ...sample, figures: { [p50]: p50Ms, [p99]: p99Ms } };
}

async function assentRelay(stage: Stage, channel: Channel): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const admin = await stage.service('rules-service', databaseUrl);
  const { ruleId, clientId: apiClientId } = await setUpAssent(stage, admin.url);
  await admin.stop();
  const { masterKeys } = stage;
  const config: RelayConfig = { databaseUrl, masterKeys, amqpUrl: stage.rabbit.url, ruleId, apiClientId };
  const program = await stage.program('engine/relay.ts', config);
  return {
    name: 'Assent',
    kind: 'assent',
    run: async (turn) => {
      await fillOutbox(databaseUrl, countOf(turn));
      const sample = await drained(stage, channel, program.pid, countOf(turn), () => program.call('drain'));
      return withLatencies(program, sample, turn);
    },
  };
}

async function peer(stage: Stage, channel: Channel, name: string, batchSize: number): Promise<Contestant> {
  const databaseUrl = await stage.emptyDatabase();
  const config: OutboxPublisher = { databaseUrl, amqpUrl: stage.rabbit.url, exchange, routingKey, batchSize };
  const program = await stage.program('peers/outbox-publisher.ts', config);
  return {
    name,
    kind: 'peer',
    run: async (turn) => {
      // One at a time takes too long for all of them.
      const count = batchSize === 1 ? countOf(turn) / 10 : countOf(turn);
      await program.call('fill', { count, bytes });
      const sample = await drained(stage, channel, program.pid, count, () => program.call('drain'));
      return batchSize === 1 ? sample : withLatencies(program, sample, turn);
    },
  };
}

/** Events as Assent writes them, of requests that there are not: the relay looks at no request. */
async function fillOutbox(databaseUrl: string, count: number): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const text = /* sql */ `
      insert into outbox (id, exchange, routing_key, event)
      select id, $2, $3, json_build_object('specversion', '1.0', 'id', id, 'source', '/assent/bench',
        'type', 'assent.authorization.requested.v1', 'subject', id, 'time', '2026-01-01T00:00:00.000Z',
        'datacontenttype', 'application/json', 'data', json_build_object('authorizationRequestId', id, 'status', 'requested'))
      from (select gen_random_uuid() as id from generate_series(1, $1::integer)) as made`;
    await database.query(text, [count, exchange, routingKey]);
    await database.query('vacuum analyze outbox');
  } finally {
    await database.end();
  }
}
