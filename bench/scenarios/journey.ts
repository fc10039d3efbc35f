import { setTimeout as pause } from 'node:timers/promises';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import { percentile } from '../harness/statistics.js';
import type { SteadyLoad, SteadyResult } from '../load/main.js';
import type { ReceiverReport } from '../outside/receiver.js';
import type { ProviderReport } from '../outside/stub-provider.js';
import { atLeast, atMost, costOf, figure, notMore, rateOf } from './compare.js';
import type { Scenario } from './scenario.js';
import { startWholeAssent } from './whole-assent.js';

const peer = 'Fastify + pg + BullMQ + openid-client';
const approveAfterMs = 2_000;
/** What is offered to each, in requests a second: the peer gets what it can just carry, Assent three times as much. */
const offered: Offered = { assent: 240, peer: 80 };

/** B10: whole requests at a steady rate, approved after two seconds, polled each second, with a callback each. */
export const journey: Scenario = {
  name: 'journey',
  ids: ['B10', 'B12'],
  title: 'From request to callback',
  unit: 'requests',
  takes: { prepare: 22, round: 20 },
  notQuick: true,
  says: `${offered.assent} requests a second for Assent and ${offered.peer} for the peer, each approved after 2 s, polled each second, and told by a callback`,
  prepare: (stage) => prepare(stage, offered),
  targets: (series) => [
    atLeast(series, 3, 'Assent', peer, rateOf),
    atMost(series, 0.4, 'Assent', peer, costOf, 'processor time'),
    notMore(series, 3, 'polls for each approval', figure('polls')),
    notMore(series, 0, 'polls that come too soon', figure('early')),
  ],
};

/** B10: how soon the application is told, which is seen only while the machine has time. */
export const quietJourney: Scenario = {
  name: 'journey-quiet',
  ids: ['B10', 'B12'],
  title: 'From request to callback, when quiet',
  unit: 'requests',
  takes: { prepare: 22, round: 20 },
  atMostRounds: 3,
  notQuick: true,
  rateIsSet: true,
  says: `the same at ${offered.peer} requests a second for both`,
  prepare: (stage) => prepare(stage, { assent: offered.peer, peer: offered.peer }),
  targets: (series) => [
    notMore(series, 50, 'token → callback p50 in ms', figure('told p50 ms')),
    notMore(series, 250, 'token → callback p99 in ms', figure('told p99 ms')),
    notMore(series, 3, 'polls for each approval', figure('polls')),
    notMore(series, 0, 'polls that come too soon', figure('early')),
  ],
};

type Offered = Readonly<Record<'assent' | 'peer', number>>;

async function prepare(stage: Stage, { assent, peer: forPeer }: Offered): Promise<readonly Contestant[]> {
  await stage.outside.call('behave', { approveAfterMs, interval: 1, expiresIn: 300, track: true });
  return [await assentJourney(stage, assent), ...(await peerJourney(stage, forPeer))];
}

interface Place {
  readonly port: number;
  readonly key: string;
  readonly pids: readonly number[];
  readonly perSecond: number;
}

async function travel(stage: Stage, { port, key, pids, perSecond }: Place, turn: Turn): Promise<Sample> {
  const count = perSecond * (turn.quick ? 4 : turn.warmUp ? 12 : 7);
  const [callbackUrl] = stage.outside.started.receiverUrls;
  const attributes = `"email":"{id}@example.com","amount":"25.00 EUR","payee":"Shop"`;
  const load: SteadyLoad = {
    port,
    connections: 64,
    method: 'POST',
    path: '/v1/authorization-requests',
    headers: { authorization: `Bearer ${key}`, 'idempotency-key': '{id}' },
    body: `{"rule":"Approve a payment","attributes":{${attributes}},"callbackUrl":"${callbackUrl!}/callbacks"}`,
    prefix: `j${turn.round}-${Date.now()}-`,
    perSecond,
    count,
  };
  await stage.outside.call('reset');
  const meter = stage.meter(pids);
  const [before, startedAt] = [meter.read(), performance.now()];
  const { made, p99Ms } = await stage.load.call<SteadyResult>('steady', load);
  await stage.outside.call('received', { count, limitMs: 120_000 });
  // Nobody is slower for the two seconds in which the last person thinks.
  const seconds = (performance.now() - startedAt - approveAfterMs) / 1000;
  // What was sent has to be settled, too.
  await pause(200);
  const micros = usedBetween(before, meter.read());
  const { receivedAtMs, twice } = await stage.outside.call<ReceiverReport>('receiver');
  const { redeemedAtMs, polls, early } = await stage.outside.call<ProviderReport>('provider');
  const told = [...made].map(([id, own]) => receivedAtMs.get(id)! - redeemedAtMs.get(`${own}@example.com`)!);
  if (made.size !== count || told.some(Number.isNaN) || twice > 0) {
    throw new Error(`${count} requests: ${made.size} were accepted, ${twice} callbacks came twice.`);
  }
  return {
    operations: count,
    seconds,
    micros,
    figures: {
      'accepted p99 ms': p99Ms,
      'told p50 ms': percentile(told, 50),
      'told p99 ms': percentile(told, 99),
      polls: polls / count,
      early,
    },
  };
}

async function assentJourney(stage: Stage, perSecond: number): Promise<Contestant> {
  const { port, key, pids } = await startWholeAssent(stage);
  const place = { port, key, pids, perSecond };
  return { name: 'Assent', kind: 'assent', run: (turn) => travel(stage, place, turn) };
}

async function peerJourney(stage: Stage, perSecond: number): Promise<Contestant[]> {
  const redis = await stage.redis();
  if (redis === null) return [];
  const key = 'assent_a-key-of-the-benchmark';
  const { issuer } = stage.outside.started;
  const config = { databaseUrl: await stage.emptyDatabase(), redisPort: redis.port, issuer, key };
  const program = await stage.program<number>('peers/packages/bullmq-journey.mjs', config);
  const place = { port: program.started, key, pids: [program.pid], perSecond };
  return [{ name: peer, kind: 'peer', run: (turn) => travel(stage, place, turn) }];
}
