import { connect } from 'amqplib';
import pg from 'pg';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { setUpAssent, type Setup } from '../harness/assent-setup.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Program } from '../harness/program.js';
import type { Stage } from '../harness/stage.js';
import type { IngestLimit } from '../limits/ingest.js';
import type { Load, LoadResult } from '../load/main.js';
import { atLeast, rateOf } from './compare.js';
import type { Scenario } from './scenario.js';
import { until } from './until.js';

const connections = 64;
const queue = 'bench.requested';

/** B1: `POST /v1/authorization-requests`, 64 connections, each call with an Idempotency-Key and a person of its own. */
export const ingest: Scenario = {
  name: 'ingest',
  ids: ['B1'],
  title: 'Accepting requests',
  unit: 'requests',
  takes: { prepare: 20, round: 30 },
  says: '64 connections; validated, authenticated, limited per person, encrypted, committed, and published to the broker',
  prepare: async (stage) => {
    const assent = await assentIngest(stage);
    const key = 'assent_a-key-of-the-benchmark';
    const single = await limit(stage, 'Fastify, one statement a call, pool of 10', 'single', key);
    const batched = await limit(stage, 'Fastify, shared statements', 'batched', key);
    const none = await limit(stage, 'Fastify without a database', 'none', key);
    return [assent, single, batched, none, ...(await peers(stage))];
  },
  targets: (series) => [
    atLeast(series, 2, 'Assent', 'Fastify, one statement a call, pool of 10', rateOf),
    atLeast(series, 0.85, 'Assent', 'Fastify, shared statements', rateOf),
    atLeast(series, 5, 'Assent', 'Nest + Express + ValidationPipe + transaction', rateOf),
    atLeast(series, 5, 'Assent', 'Fastify + transaction + pg-boss', rateOf),
  ],
};

interface Place {
  readonly port: number;
  readonly key: string;
  readonly pid: number;
}

/** Sends calls for a while and measures what they cost. */
export async function runLoad(
  stage: Stage,
  { port, key, pid }: Place,
  turn: Turn,
  settled: (accepted: number) => Promise<void>,
): Promise<Sample> {
  const load: Load = {
    port,
    connections,
    method: 'POST',
    path: '/v1/authorization-requests',
    headers: { authorization: `Bearer ${key}`, 'idempotency-key': '{id}' },
    body: '{"rule":"Approve a payment","attributes":{"email":"{id}@example.com","amount":"25.00 EUR","payee":"Shop"}}',
    seconds: turn.quick ? 1.5 : turn.warmUp ? 6 : 3,
    prefix: `r${turn.round}-${Date.now()}-`,
  };
  const meter = stage.meter([pid]);
  const before = meter.read();
  const { seconds, statuses, p50Ms, p99Ms } = await stage.load.call<LoadResult>('load', load);
  const operations = statuses[202] ?? 0;
  await settled(operations);
  const micros = usedBetween(before, meter.read());
  if (Object.keys(statuses).join() !== '202')
    throw new Error(`not everything was accepted: ${JSON.stringify(statuses)}`);
  return { operations, seconds, micros, figures: { 'p50 ms': p50Ms, 'p99 ms': p99Ms } };
}

async function assentIngest(stage: Stage): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const service = await stage.service('rules-service', databaseUrl);
  const setup: Setup = await setUpAssent(stage, service.url);
  const database = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const broker = await connect(stage.rabbit.url);
  const channel = await broker.createChannel();
  // Events need a queue that takes them, as in production; what comes after is another scenario.
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(queue, 'assent.authorizations', 'authorization.#');
  const count = async (where = '') => {
    const { rows } = await database.query<{ number: number }>(`select count(*)::integer as number from ${where}`);
    return rows[0]!.number;
  };
  return {
    name: 'Assent',
    kind: 'assent',
    run: async (turn) => {
      const before = await count('authorization_requests');
      return runLoad(stage, { port: service.port, key: setup.key, pid: service.pid }, turn, async (accepted) => {
        await until('every event is published', async () => (await count('outbox where published_at is null')) === 0);
        const stored = (await count('authorization_requests')) - before;
        if (stored !== accepted) throw new Error(`${accepted} requests were accepted and ${stored} are stored.`);
        const { messageCount } = await channel.checkQueue(queue);
        if (messageCount !== accepted) throw new Error(`${accepted} were accepted and ${messageCount} published.`);
        await channel.purgeQueue(queue);
      });
    },
    stop: async () => {
      await broker.close();
      await database.end();
    },
  };
}

async function limit(stage: Stage, name: string, mode: IngestLimit['mode'], key: string): Promise<Contestant> {
  const databaseUrl = mode === 'none' ? null : await stage.freshDatabase();
  const program: Program & { readonly started: number } = await stage.program<number>('limits/ingest.ts', {
    databaseUrl,
    mode,
    key,
  } satisfies IngestLimit);
  const verify = databaseUrl === null ? null : rowsOf(databaseUrl, 'bench_requests', 'bench_outbox');
  return {
    name,
    kind: 'limit',
    run: (turn) =>
      runLoad(stage, { port: program.started, key, pid: program.pid }, turn, async (accepted) => verify?.(accepted)),
  };
}

/** Looks whether as many rows have been added since the last time as there should be. */
export function rowsOf(databaseUrl: string, ...tables: readonly string[]): (added: number) => Promise<void> {
  const before = new Map(tables.map((table) => [table, 0]));
  return async (added) => {
    const database = new pg.Client({ connectionString: databaseUrl });
    await database.connect();
    try {
      for (const table of tables) {
        const { rows } = await database.query<{ number: number }>(`select count(*)::integer as number from ${table}`);
        const found = rows[0]!.number - before.get(table)!;
        before.set(table, rows[0]!.number);
        if (found !== added) throw new Error(`${added} rows should have come into ${table}; it was ${found}.`);
      }
    } finally {
      await database.end();
    }
  };
}

async function peers(stage: Stage): Promise<Contestant[]> {
  const key = 'assent_a-key-of-the-benchmark';
  const all = [
    {
      name: 'Nest + Express + ValidationPipe + transaction',
      file: 'peers/packages/nest-express.mjs',
      tables: ['requests', 'outbox'],
    },
    { name: 'Fastify + transaction + pg-boss', file: 'peers/packages/pg-boss-ingest.mjs', tables: ['requests'] },
    { name: 'Fastify + insert, then BullMQ', file: 'peers/packages/bullmq-ingest.mjs', tables: ['requests'] },
  ];
  const contestants: Contestant[] = [];
  for (const { name, file, tables } of all) {
    const redis = file.includes('bullmq') ? await stage.redis() : null;
    if (file.includes('bullmq') && redis === null) continue;
    const databaseUrl = await stage.emptyDatabase();
    const program = await stage.program<number>(file, { databaseUrl, key, redisPort: redis?.port ?? null });
    const verify = rowsOf(databaseUrl, ...tables);
    contestants.push({
      name,
      kind: 'peer',
      run: (turn) => runLoad(stage, { port: program.started, key, pid: program.pid }, turn, verify),
    });
  }
  return contestants;
}
