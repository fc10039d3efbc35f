import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Sample, Turn } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import { percentile, slopeOf } from '../harness/statistics.js';
import type { SteadyLoad, SteadyResult } from '../load/main.js';
import type { ReceiverReport } from '../outside/receiver.js';
import type { ProviderReport } from '../outside/stub-provider.js';
import { figure, notMore } from './compare.js';
import type { Scenario } from './scenario.js';
import { startWholeAssent, type WholeAssent } from './whole-assent.js';

const perSecond = 100;
const approveAfterMs = 2_000;
const chunkSeconds = 15;
const [slope, drift, outboxLeft, dead] = [
  'memory MB/h',
  'p99, last third ÷ second',
  'outbox in the end',
  'dead rows ÷ requests',
];

/** B11: a quarter of an hour at about half of what the machine can do. */
export const soak: Scenario = {
  name: 'soak',
  ids: ['B11'],
  title: 'A quarter of an hour',
  unit: 'requests',
  takes: { prepare: 20, round: 460 },
  atMostRounds: 1,
  onRequest: true,
  rateIsSet: true,
  says: `${perSecond} requests a second, as B10, for 15 minutes (one when quick); memory of all services together after the first third, by the straight line that fits best`,
  prepare: async (stage) => {
    await stage.outside.call('behave', { approveAfterMs, interval: 1, expiresIn: 300, track: false });
    const house = await startWholeAssent(stage);
    return [{ name: 'Assent', kind: 'assent', run: (turn) => endure(stage, house, turn) }];
  },
  targets: (series) => [
    notMore(series, 1, slope, figure(slope)),
    notMore(series, 1.2, drift, figure(drift)),
    notMore(series, 0, outboxLeft, figure(outboxLeft)),
    notMore(series, 5, dead, figure(dead)),
  ],
};

async function endure(stage: Stage, house: WholeAssent, turn: Turn): Promise<Sample> {
  const chunks = turn.warmUp ? 1 : (turn.quick ? 60 : 900) / chunkSeconds;
  const meter = stage.meter(house.pids);
  const [before, startedAt] = [meter.read(), performance.now()];
  const p99s: number[] = [];
  const memory: { readonly hours: number; readonly megabytes: number }[] = [];
  for (let at = 0; at < chunks; at++) {
    p99s.push(await oneChunk(stage, house, `s${turn.round}-${at}-${Date.now()}-`));
    memory.push({ hours: (performance.now() - startedAt) / 3_600_000, megabytes: residentMegabytes(house.pids) });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const micros = usedBetween(before, meter.read());
  await pause(500);
  const { unpublished, deadRows, requests } = await tablesOf(house.databaseUrl);
  const third = Math.max(1, Math.floor(chunks / 3));
  const usual = (values: readonly number[]) => percentile(values, 50);
  const kept = memory.slice(third === chunks ? 0 : third);
  return {
    operations: chunks * chunkSeconds * perSecond,
    seconds,
    micros,
    figures: {
      'told p99 ms': percentile(p99s, 50),
      [slope]: kept.length < 2 ? 0 : slopeOf(kept.map(({ hours, megabytes }) => [hours, megabytes])),
      'memory MB': memory.at(-1)!.megabytes,
      [drift]: usual(p99s.slice(-third)) / usual(p99s.slice(third, 2 * third).concat(chunks < 3 ? p99s : [])),
      [outboxLeft]: unpublished,
      [dead]: deadRows / requests,
    },
  };
}

/** A load for a while; answers how long the slowest hundredth waited from the tokens to the callback, in ms. */
async function oneChunk(stage: Stage, { port, key }: WholeAssent, prefix: string): Promise<number> {
  const count = chunkSeconds * perSecond;
  const [callbackUrl] = stage.outside.started.receiverUrls;
  const attributes = `"email":"{id}@example.com","amount":"25.00 EUR","payee":"Shop"`;
  const load: SteadyLoad = {
    port,
    connections: 64,
    method: 'POST',
    path: '/v1/authorization-requests',
    headers: { authorization: `Bearer ${key}`, 'idempotency-key': '{id}' },
    body: `{"rule":"Approve a payment","attributes":{${attributes}},"callbackUrl":"${callbackUrl!}/callbacks"}`,
    prefix,
    perSecond,
    count,
  };
  await stage.outside.call('reset');
  const { made } = await stage.load.call<SteadyResult>('steady', load);
  await stage.outside.call('received', { count, limitMs: 120_000 });
  const { receivedAtMs, twice } = await stage.outside.call<ReceiverReport>('receiver');
  const { redeemedAtMs } = await stage.outside.call<ProviderReport>('provider');
  const told = [...made].map(([id, own]) => receivedAtMs.get(id)! - redeemedAtMs.get(`${own}@example.com`)!);
  if (made.size !== count || told.some(Number.isNaN) || twice > 0) {
    throw new Error(`${count} requests: ${made.size} were accepted, ${twice} callbacks came twice.`);
  }
  return percentile(told, 99);
}

async function tablesOf(databaseUrl: string): Promise<{ unpublished: number; deadRows: number; requests: number }> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  const text = /* sql */ `
    select (select count(*)::integer from outbox where published_at is null) as unpublished,
      (select sum(n_dead_tup)::integer from pg_stat_user_tables) as "deadRows",
      (select count(*)::integer from authorization_requests) as requests`;
  const { rows } = await database
    .query<{ unpublished: number; deadRows: number; requests: number }>(text)
    .finally(() => database.end());
  return rows[0]!;
}

const residentMegabytes = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return sum + Number(kilobytes) / 1024;
  }, 0);
