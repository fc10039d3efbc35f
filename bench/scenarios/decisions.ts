import { connect } from 'amqplib';
import pg from 'pg';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { setUpAssent } from '../harness/assent-setup.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import { percentile } from '../harness/statistics.js';
import type { ReceiverReport } from '../outside/receiver.js';
import type { TransactionDecisions } from '../peers/transaction-decisions.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { atLeast, atMost, costOf, rateOf } from './compare.js';
import type { Scenario } from './scenario.js';
import { settleSeed } from './settle.js';
import { until } from './until.js';

const queue = 'bench.decisions';
const peer = 'a transaction for each decision';

/** B8: many are approved at once; from the approval to the callback at the receiver. */
export const decisions: Scenario = {
  name: 'decisions',
  ids: ['B8'],
  title: 'From approval to callback',
  unit: 'decisions',
  takes: { prepare: 20, round: 22 },
  says: 'approved at once, recorded with receipt and event, published, and delivered to 20 receivers',
  prepare: async (stage) => [await assentDecisions(stage), await peerDecisions(stage)],
  targets: (series) => [
    atLeast(series, 3, 'Assent', peer, rateOf),
    atMost(series, 0.5, 'Assent', peer, costOf, 'processor time'),
  ],
};

const countOf = ({ quick }: Turn): number => (quick ? 1_600 : 4_000);

async function assentDecisions(stage: Stage): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const admin = await stage.service('rules-service', databaseUrl);
  const { ruleId, clientId: apiClientId } = await setUpAssent(stage, admin.url);
  await admin.stop();
  const service = await stage.service('decision-service', databaseUrl);
  const broker = await connect(stage.rabbit.url);
  const channel = await broker.createChannel();
  // A subscriber's queue, as in production: an event that nobody takes is swept again and again.
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(queue, 'assent.decisions', 'decision.#');
  const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: stage.rabbit.url };
  const seeder = await stage.program('seed/main.ts', { ...seed, amqpUrl: null });
  // What the poller does once evidence is verified, in a process of its own.
  const approver = await stage.program('seed/main.ts', seed);
  const { receiverUrls } = stage.outside.started;
  return {
    name: 'Assent',
    kind: 'assent',
    run: async (turn) => {
      const count = countOf(turn);
      const ids: string[] = [];
      for (const url of receiverUrls) {
        const callbackUrl = `${url}/callbacks`;
        const batch: Batch = { count: count / receiverUrls.length, ruleId, apiClientId, callbackUrl };
        ids.push(...(await seeder.call<string[]>('pending', batch)));
      }
      await settleSeed(databaseUrl);
      const sample = await deliver(stage, ids, { databaseUrl, app: [service.pid, approver.pid] }, () =>
        approver.call<Map<string, number>>('approve', inTurn(ids, receiverUrls.length)),
      );
      await verifyRows(databaseUrl, ids);
      await until('every event is published', async () => {
        return (await channel.checkQueue(queue)).messageCount >= ids.length;
      });
      await channel.purgeQueue(queue);
      return sample;
    },
    stop: () => broker.close(),
  };
}

/** What belongs to each of so many receivers, one from each in turn. */
const inTurn = (ids: readonly string[], receivers: number): string[] => {
  const each = ids.length / receivers;
  return ids.map((_, at) => ids[(at % receivers) * each + Math.floor(at / receivers)]!);
};

async function peerDecisions(stage: Stage): Promise<Contestant> {
  const databaseUrl = await stage.emptyDatabase();
  const config: TransactionDecisions = {
    databaseUrl,
    amqpUrl: stage.rabbit.url,
    callbackUrls: stage.outside.started.receiverUrls.map((url) => `${url}/callbacks`),
  };
  const program = await stage.program('peers/transaction-decisions.ts', config);
  return {
    name: peer,
    kind: 'peer',
    run: async (turn) => {
      const ids = await program.call<string[]>('pending', countOf(turn));
      return deliver(stage, ids, { databaseUrl, app: [program.pid] }, () =>
        program.call<Map<string, number>>('approve', ids),
      );
    },
  };
}

interface Place {
  readonly databaseUrl: string;
  readonly app: readonly number[];
}

async function deliver(
  stage: Stage,
  ids: readonly string[],
  { databaseUrl, app }: Place,
  approve: () => Promise<Map<string, number>>,
): Promise<Sample> {
  await stage.outside.call('reset');
  const commits = await commitsOf(databaseUrl);
  const meter = stage.meter(app);
  const [before, startedAt] = [meter.read(), performance.now()];
  const [approvedAtMs] = await Promise.all([
    approve(),
    stage.outside.call('received', { count: ids.length, limitMs: 300_000 }),
  ]);
  const seconds = (performance.now() - startedAt) / 1000;
  const micros = usedBetween(before, meter.read());
  const { twice, receivedAtMs } = await stage.outside.call<ReceiverReport>('receiver');
  const missing = ids.filter((id) => !receivedAtMs.has(id)).length;
  if (missing > 0 || twice > 0) throw new Error(`${missing} callbacks are missing and ${twice} came twice.`);
  const waits = ids.map((id) => receivedAtMs.get(id)! - approvedAtMs.get(id)!);
  const approvals = ids.length / ((Math.max(...approvedAtMs.values()) - Math.min(...approvedAtMs.values())) / 1000);
  return {
    operations: ids.length,
    seconds,
    micros,
    figures: {
      'approvals/s': approvals,
      commits: ((await commitsOf(databaseUrl)) - commits) / ids.length,
      'p50 ms': percentile(waits, 50),
      'p99 ms': percentile(waits, 99),
    },
  };
}

/** Transactions that this database has committed. */
async function commitsOf(databaseUrl: string): Promise<number> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  const text = 'select xact_commit::float8 as commits from pg_stat_database where datname = current_database()';
  const { rows } = await database.query<{ commits: number }>(text).finally(() => database.end());
  return rows[0]!.commits;
}

async function verifyRows(databaseUrl: string, ids: readonly string[]): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const { rows } = await database.query<{ number: number }>(
      `select count(distinct d.request_id)::integer as number from decisions d
       join deliveries v on v.decision_id = d.id where d.request_id = any($1::uuid[])`,
      [ids],
    );
    if (rows[0]!.number !== ids.length) throw new Error(`${rows[0]!.number} of ${ids.length} decisions are stored.`);
  } finally {
    await database.end();
  }
}
