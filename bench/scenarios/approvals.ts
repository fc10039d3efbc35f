import { connect } from 'amqplib';
import pg from 'pg';
import { setUpAssent } from '../harness/assent-setup.js';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import type { ApprovalsLimit } from '../limits/approvals.js';
import type { TransactionDecisions } from '../peers/transaction-decisions.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { atLeast, rateOf } from './compare.js';
import type { Scenario } from './scenario.js';
import { settleSeed } from './settle.js';

const loop = 'a bare loop of shared compare and set';
const peer = 'a transaction for each approval';

/** B8, first half: many approvals at once are committed, each with its timeline and its event. */
export const approvals: Scenario = {
  name: 'approvals',
  ids: ['B8'],
  title: 'Committing approvals',
  unit: 'approvals',
  takes: { prepare: 18, round: 11 },
  says: 'all at once, as the poller does it once evidence is verified: status, evidence, timeline and event in one commit, judged by the database’s clock',
  prepare: async (stage) => [await assentApprovals(stage), await bareApprovals(stage), await peerApprovals(stage)],
  targets: (series) => [atLeast(series, 0.6, 'Assent', loop, rateOf), atLeast(series, 10, 'Assent', peer, rateOf)],
};

const countOf = ({ quick }: Turn): number => (quick ? 2_000 : 10_000);

async function assentApprovals(stage: Stage): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const admin = await stage.service('rules-service', databaseUrl);
  const { ruleId, clientId: apiClientId } = await setUpAssent(stage, admin.url);
  await admin.stop();
  const config: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: null };
  const seeder = await stage.program('seed/main.ts', config);
  // In a process of its own, as the poller is; what is published is another scenario.
  const approver = await stage.program('seed/main.ts', config);
  const database = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  return {
    name: 'Assent',
    kind: 'assent',
    run: async (turn) => {
      const ids = await seeder.call<string[]>('pending', { count: countOf(turn), ruleId, apiClientId } satisfies Batch);
      await settleSeed(databaseUrl);
      return measured(stage, approver.pid, ids.length, async () => {
        const approved = await approver.call<Map<string, number>>('approve', ids);
        const { rows } = await database.query<{ number: number }>(
          `select count(*)::integer as number from authorization_requests where id = any($1::uuid[]) and status = 'approved'`,
          [ids],
        );
        return Math.min(approved.size, rows[0]!.number);
      });
    },
    stop: () => database.end(),
  };
}

async function bareApprovals(stage: Stage): Promise<Contestant> {
  const config: ApprovalsLimit = { databaseUrl: await stage.freshDatabase() };
  const program = await stage.program('limits/approvals.ts', config);
  return {
    name: loop,
    kind: 'limit',
    run: async (turn) => {
      const ids = await program.call<string[]>('pending', countOf(turn));
      return measured(stage, program.pid, ids.length, () => program.call<number>('approve', ids));
    },
  };
}

async function peerApprovals(stage: Stage): Promise<Contestant> {
  const databaseUrl = await stage.emptyDatabase();
  const { url: amqpUrl } = stage.rabbit;
  const config: TransactionDecisions = { databaseUrl, amqpUrl, callbackUrls: ['http://127.0.0.1:9'], records: false };
  const program = await stage.program('peers/transaction-decisions.ts', config);
  const channel = await (await connect(amqpUrl)).createChannel();
  return {
    name: peer,
    kind: 'peer',
    run: async (turn) => {
      // One at a time takes too long for all of them.
      const ids = await program.call<string[]>('pending', countOf(turn) / 5);
      const sample = await measured(stage, program.pid, ids.length, async () => {
        return (await program.call<Map<string, number>>('approve', ids)).size;
      });
      await channel.purgeQueue('peer.decisions');
      return sample;
    },
  };
}

/** Measures approvals; `work` answers how many there were. */
async function measured(stage: Stage, pid: number, count: number, work: () => Promise<number>): Promise<Sample> {
  const meter = stage.meter([pid]);
  const [before, startedAt] = [meter.read(), performance.now()];
  const approved = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const micros = usedBetween(before, meter.read());
  if (approved !== count) throw new Error(`${approved} of ${count} were approved.`);
  return { operations: count, seconds, micros };
}
