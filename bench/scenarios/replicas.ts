import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { setUpAssent } from '../harness/assent-setup.js';
import type { AssentService, ServiceName } from '../harness/assent-service.js';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import { percentile } from '../harness/statistics.js';
import type { SteadyLoad, SteadyResult } from '../load/main.js';
import type { ReceiverReport } from '../outside/receiver.js';
import type { ProviderReport } from '../outside/stub-provider.js';
import { atMost, costOf, rateOf } from './compare.js';
import type { Scenario, Target } from './scenario.js';
import { until } from './until.js';

const replicas = [4, 2, 1] as const;
/** What sixteen processes carry on two cores. */
const perSecond = 32;
const approveAfterMs = 1_000;
/** For so long it is watched what the processes use when there is nothing to do. */
const idleMs = 2_000;
const most = 'Assent';
const nameOf = (number: number): string => (number === replicas[0] ? most : `Assent, ${number} of each service`);

/** B17: the same load for one, two and four processes of each service. */
export const replicated: Scenario = {
  name: 'replicas',
  ids: ['B17'],
  title: 'Four of each service',
  unit: 'requests',
  takes: { prepare: 95, round: 36 },
  notQuick: true,
  atMostRounds: 2,
  rateIsSet: true,
  says: `${perSecond} requests a second, as B10, for four processes of each service, for two and for one; the load goes to all of them in turn, and nobody is asked twice`,
  prepare: async (stage) => {
    await stage.outside.call('behave', { approveAfterMs, interval: 1, expiresIn: 300, track: true });
    const contestants: Contestant[] = [];
    for (const number of replicas) contestants.push(await houseOf(stage, number));
    return contestants;
  },
  targets: (series): Target[] => [
    // Throughput for each core is the inverse of the processor time for each request.
    ...[2, 1].map((number) =>
      atMost(series, 1.15, most, nameOf(number), (sample) => appCostOf(sample), 'processor time of the services'),
    ),
    ...[2, 1].map((number) => atMost(series, 1.15, most, nameOf(number), costOf, 'processor time of everything')),
    { text: 'carries all of the load', measured: rates(series), reached: rates(series) >= perSecond * 0.9 },
  ],
};

const appCostOf = ({ micros, operations }: Sample): number => micros['app']! / operations;
const rates = (series: Parameters<Scenario['targets']>[0]): number =>
  Math.min(...series.find(({ name }) => name === most)!.samples.map(rateOf));

interface House {
  readonly doors: readonly AssentService[];
  readonly pids: readonly number[];
  readonly key: string;
}

async function houseOf(stage: Stage, number: number): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const env = { AMQP_URL: await stage.virtualHost(`house-${number}-${randomBytes(3).toString('hex')}`) };
  const several = (name: ServiceName) =>
    Promise.all(Array.from({ length: number }, () => stage.service(name, databaseUrl, env)));
  const doors = await several('rules-service');
  const { key } = await setUpAssent(stage, doors[0]!.url);
  const workers = await several('ciba-worker');
  const pollers = await several('poller');
  const deciders = await several('decision-service');
  await until('the pollers share all shards', async () => {
    const owned = await Promise.all(pollers.map((poller) => poller.metric('assent_owned_shards')));
    return owned.every((shards) => shards === 256 / number);
  });
  const pids = [...doors, ...workers, ...pollers, ...deciders].map(({ pid }) => pid);
  const house = { doors, pids, key };
  return {
    name: nameOf(number),
    kind: number === replicas[0] ? 'assent' : 'limit',
    run: (turn) => load(stage, house, turn),
  };
}

async function load(stage: Stage, { doors, pids, key }: House, turn: Turn): Promise<Sample> {
  // A process that is new is slower, and there are many of them.
  const count = perSecond * (turn.quick ? 4 : turn.warmUp ? 20 : 8);
  const [callbackUrl] = stage.outside.started.receiverUrls;
  const attributes = `"email":"{id}@example.com","amount":"25.00 EUR","payee":"Shop"`;
  const share = (door: AssentService, at: number): SteadyLoad => ({
    port: door.port,
    connections: 16,
    method: 'POST',
    path: '/v1/authorization-requests',
    headers: { authorization: `Bearer ${key}`, 'idempotency-key': '{id}' },
    body: `{"rule":"Approve a payment","attributes":{${attributes}},"callbackUrl":"${callbackUrl!}/callbacks"}`,
    prefix: `r${turn.round}-${at}-${Date.now()}-`,
    perSecond: perSecond / doors.length,
    count: count / doors.length,
  });
  await stage.outside.call('reset');
  const meter = stage.meter(pids);
  const idleFrom = meter.read();
  await pause(idleMs);
  const idle = usedBetween(idleFrom, meter.read())['app']! / 1000 / idleMs;
  const [before, startedAt] = [meter.read(), performance.now()];
  const results = await Promise.all(doors.map((door, at) => stage.load.call<SteadyResult>('steady', share(door, at))));
  await stage.outside.call('received', { count, limitMs: 120_000 });
  const seconds = (performance.now() - startedAt - approveAfterMs) / 1000;
  const micros = usedBetween(before, meter.read());
  const { twice, receivedAtMs } = await stage.outside.call<ReceiverReport>('receiver');
  const { starts, startedAtMs, redeemedAtMs, early } = await stage.outside.call<ProviderReport>('provider');
  const made = new Map(results.flatMap((result) => [...result.made]));
  if (made.size !== count || twice > 0 || starts !== count || startedAtMs.size !== count || early > 0) {
    throw new Error(
      `${count} requests: ${made.size} accepted, ${starts} prompts to ${startedAtMs.size} persons, ${twice} callbacks twice, ${early} polls early.`,
    );
  }
  const told = [...made].map(([id, own]) => receivedAtMs.get(id)! - redeemedAtMs.get(`${own}@example.com`)!);
  return {
    operations: count,
    seconds,
    micros,
    figures: { 'idle cores': idle, 'told p50 ms': percentile(told, 50), 'told p99 ms': percentile(told, 99) },
  };
}
