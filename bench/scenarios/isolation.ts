import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import { setUpAssent } from '../harness/assent-setup.js';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Program } from '../harness/program.js';
import type { Stage } from '../harness/stage.js';
import { percentile } from '../harness/statistics.js';
import type { ReceiverReport } from '../outside/receiver.js';
import type { TransactionDecisions } from '../peers/transaction-decisions.js';
import type { Batch, SeedConfig, SteadyApprovals } from '../seed/main.js';
import { atMost, figure, notMore } from './compare.js';
import type { Scenario, Target } from './scenario.js';
import { settleSeed } from './settle.js';

const perSecond = 200;
const healthy = 'Assent, all receivers answer';
const peer = 'one queue for all, 50 at a time';
const [delivered, p99] = ['delivered %', 'healthy p99 ms'];
/** Longer than any callback that is not held up needs, and shorter than the time limit of the one that hangs. */
const graceMs = 4_000;

/** B9: one of twenty receivers takes calls and never answers. */
export const isolation: Scenario = {
  name: 'isolation',
  ids: ['B9'],
  title: 'One receiver of twenty hangs',
  unit: 'decisions',
  takes: { prepare: 20, round: 45 },
  notQuick: true,
  atMostRounds: 2,
  rateIsSet: true,
  says: `${perSecond} approvals a second for twenty receivers in turn, one of which never answers; what the others have got ${graceMs / 1000} s after the last approval, and how long it took them`,
  prepare: async (stage) => {
    const hanging = urlsOf(stage, true);
    return Promise.all([
      assentIsolation(stage, 'Assent', 'assent', hanging),
      assentIsolation(stage, healthy, 'limit', urlsOf(stage, false)),
      peerIsolation(stage, hanging),
    ]);
  },
  targets: (series): Target[] => {
    const share = Math.min(...series.find(({ name }) => name === 'Assent')!.samples.map(figure(delivered)));
    return [
      { text: 'healthy receivers get 100 %', measured: share, reached: share === 100 },
      notMore(series, 15, 'p99 in ms of the healthy', figure(p99)),
      atMost(series, 2, 'Assent', healthy, figure(p99), 'p99 of the healthy'),
    ];
  },
};

/** The last one hangs, or none does. */
const urlsOf = (stage: Stage, oneHangs: boolean): string[] =>
  stage.outside.started.receiverUrls.map((url, at, { length }) =>
    oneHangs && at === length - 1 ? `${url}/hang` : `${url}/callbacks`,
  );

const countOf = ({ quick, warmUp }: Turn): number => perSecond * (quick || warmUp ? 2 : 8);

async function assentIsolation(
  stage: Stage,
  name: string,
  kind: Contestant['kind'],
  callbackUrls: readonly string[],
): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const amqpUrl = await stage.virtualHost(`isolation-${randomBytes(3).toString('hex')}`);
  const admin = await stage.service('rules-service', databaseUrl, { AMQP_URL: amqpUrl });
  const { ruleId, clientId: apiClientId } = await setUpAssent(stage, admin.url);
  await admin.stop();
  const service = await stage.service('decision-service', databaseUrl, { AMQP_URL: amqpUrl });
  const broker = await connect(amqpUrl);
  const channel = await broker.createChannel();
  await channel.assertQueue('bench.decisions', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue('bench.decisions', 'assent.decisions', 'decision.#');
  const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl };
  const seeder = await stage.program('seed/main.ts', { ...seed, amqpUrl: null });
  const approver = await stage.program('seed/main.ts', seed);
  return {
    name,
    kind,
    run: async (turn) => {
      const each = countOf(turn) / callbackUrls.length;
      const groups: string[][] = [];
      for (const callbackUrl of callbackUrls) {
        const batch: Batch = { count: each, ruleId, apiClientId, callbackUrl };
        groups.push(await seeder.call<string[]>('pending', batch));
      }
      await settleSeed(databaseUrl);
      return deliver(stage, { pids: [service.pid, approver.pid], approver, groups, callbackUrls });
    },
    stop: () => broker.close(),
  };
}

async function peerIsolation(stage: Stage, callbackUrls: readonly string[]): Promise<Contestant> {
  const databaseUrl = await stage.emptyDatabase();
  const config: TransactionDecisions = { databaseUrl, amqpUrl: stage.rabbit.url, callbackUrls };
  const program = await stage.program('peers/transaction-decisions.ts', config);
  return {
    name: peer,
    kind: 'peer',
    run: async (turn) => {
      // They come with the receivers in turn.
      const ids = await program.call<string[]>('pending', countOf(turn));
      const groups = callbackUrls.map((_, receiver) => ids.filter((_id, at) => at % callbackUrls.length === receiver));
      const sample = await deliver(stage, { pids: [program.pid], approver: program, groups, callbackUrls });
      // What it is late with must not disturb the others.
      await pause(10_000);
      return sample;
    },
  };
}

interface Delivery {
  readonly pids: readonly number[];
  readonly approver: Program;
  /** The requests of each receiver. */
  readonly groups: readonly (readonly string[])[];
  readonly callbackUrls: readonly string[];
}

async function deliver(stage: Stage, { pids, approver, groups, callbackUrls }: Delivery): Promise<Sample> {
  const ids = groups[0]!.flatMap((_, at) => groups.map((group) => group[at]!));
  const healthyIds = groups.flatMap((group, at) => (callbackUrls[at]!.endsWith('/hang') ? [] : group));
  await stage.outside.call('reset');
  const meter = stage.meter(pids);
  const [before, startedAt] = [meter.read(), performance.now()];
  const steady: SteadyApprovals = { ids, perSecond };
  const approvedAtMs = await approver.call<Map<string, number>>('approveSteadily', steady);
  const seconds = (performance.now() - startedAt) / 1000;
  await pause(graceMs);
  const micros = usedBetween(before, meter.read());
  const { receivedAtMs, twice } = await stage.outside.call<ReceiverReport>('receiver');
  const waits = healthyIds.flatMap((id) => {
    const at = receivedAtMs.get(id);
    return at === undefined ? [] : [at - approvedAtMs.get(id)!];
  });
  if (twice > 0) throw new Error(`${twice} callbacks came twice.`);
  return {
    operations: ids.length,
    seconds,
    micros,
    figures: {
      [delivered]: (100 * waits.length) / healthyIds.length,
      'healthy p50 ms': percentile(waits, 50),
      [p99]: percentile(waits, 99),
    },
  };
}
