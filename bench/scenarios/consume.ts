import pg from 'pg';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { setUpAssent, type Setup } from '../harness/assent-setup.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import type { ConsumeLimit } from '../limits/consume.js';
import type { LoadResult } from '../load/main.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { atLeast, costOf, rateOf, atMost } from './compare.js';
import type { Scenario } from './scenario.js';
import { settleSeed } from './settle.js';

const connections = 64;
const bare = 'Fastify, compare and set, pool of 10';

/** B15: `POST …/{id}/consume`, 64 connections, each approval once. */
export const consume: Scenario = {
  name: 'consume',
  ids: ['B15'],
  title: 'Using approvals',
  unit: 'uses',
  takes: { prepare: 15, round: 15 },
  notQuick: true,
  says: '64 connections; each approval is used once, and every one of them is',
  prepare: async (stage) => {
    const databaseUrl = await stage.freshDatabase();
    const service = await stage.service('rules-service', databaseUrl);
    const setup = await setUpAssent(stage, service.url);
    const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: null };
    const seeder = await stage.program('seed/main.ts', seed);
    const limit: ConsumeLimit = { databaseUrl, clientId: setup.clientId, key: setup.key };
    const plain = await stage.program<number>('limits/consume.ts', limit);
    const run = async (port: number, pid: number, turn: Turn) => {
      const count = turn.quick ? 3_000 : 6_000;
      const batch: Batch = { count, ruleId: setup.ruleId, apiClientId: setup.clientId };
      const ids = await seeder.call<string[]>('approved', batch);
      await settleSeed(databaseUrl);
      return useAll(stage, { databaseUrl, port, pid, setup }, ids);
    };
    const contestants: Contestant[] = [
      { name: 'Assent', kind: 'assent', run: (turn) => run(service.port, service.pid, turn) },
      { name: bare, kind: 'limit', run: (turn) => run(plain.started, plain.pid, turn) },
    ];
    return contestants;
  },
  targets: (series) => [
    atLeast(series, 0.8, 'Assent', bare, rateOf),
    atMost(series, 2, 'Assent', bare, costOf, 'processor time'),
  ],
};

interface Place {
  readonly databaseUrl: string;
  readonly port: number;
  readonly pid: number;
  readonly setup: Setup;
}

async function useAll(stage: Stage, { databaseUrl, port, pid, setup }: Place, ids: string[]): Promise<Sample> {
  const meter = stage.meter([pid]);
  const before = meter.read();
  const { seconds, statuses, p50Ms, p99Ms } = await stage.load.call<LoadResult>('load', {
    port,
    connections,
    method: 'POST',
    path: '/v1/authorization-requests/{id}/consume',
    headers: { authorization: `Bearer ${setup.key}` },
    body: '',
    ids,
  });
  const micros = usedBetween(before, meter.read());
  const used = await consumedAmong(databaseUrl, ids);
  if (statuses[200] !== ids.length || used !== ids.length) {
    throw new Error(`${ids.length} uses were answered ${JSON.stringify(statuses)}; ${used} are stored.`);
  }
  return { operations: ids.length, seconds, micros, figures: { 'p50 ms': p50Ms, 'p99 ms': p99Ms } };
}

/** How many of these requests were used exactly once. */
async function consumedAmong(databaseUrl: string, ids: readonly string[]): Promise<number> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const { rows } = await database.query<{ number: number }>(
      `select count(*)::integer as number from authorization_requests r
       where id = any($1::uuid[]) and consumed_at is not null
         and (select count(*) from request_timeline t where t.request_id = r.id and t.type = 'consumed') = 1`,
      [ids],
    );
    return rows[0]!.number;
  } finally {
    await database.end();
  }
}
