import { connect } from 'amqplib';
import pg from 'pg';
import { setUpAssent } from '../harness/assent-setup.js';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Program } from '../harness/program.js';
import type { Stage } from '../harness/stage.js';
import type { StartsLimit } from '../limits/starts.js';
import type { ProviderReport } from '../outside/stub-provider.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { atLeast, atMost, costOf, rateOf } from './compare.js';
import type { Scenario } from './scenario.js';
import { until } from './until.js';

const loop = 'consume, call, shared compare and set';
const peer = 'BullMQ + openid-client';

/** B3: accepted requests wait in the queue; the provider is asked about each, once. */
export const starts: Scenario = {
  name: 'starts',
  ids: ['B3'],
  title: 'Asking the provider',
  unit: 'starts',
  takes: { prepare: 14, round: 13 },
  says: 'requests that wait in the queue: each attempt written ahead, the call, the answer committed, the event published; nobody is asked twice',
  prepare: async (stage) => {
    await stage.outside.call('behave', { approveAfterMs: null, interval: 5, expiresIn: 7200, track: false });
    const { issuer } = stage.outside.started;
    const limit: StartsLimit = {
      databaseUrl: await stage.freshDatabase(),
      amqpUrl: stage.rabbit.url,
      issuer,
      queue: 'bench.starts',
    };
    const contestants = [
      await assentStarts(stage),
      filled(stage, loop, 'limit', await stage.program('limits/starts.ts', limit)),
    ];
    const redis = await stage.redis();
    if (redis === null) return contestants;
    const config = { databaseUrl: await stage.emptyDatabase(), redisPort: redis.port, issuer };
    const program = await stage.program('peers/packages/bullmq-starts.mjs', config);
    return [...contestants, filled(stage, peer, 'peer', program)];
  },
  targets: (series) => [
    atLeast(series, 0.5, 'Assent', loop, rateOf),
    atLeast(series, 8, 'Assent', peer, rateOf),
    atMost(series, 0.2, 'Assent', peer, costOf, 'processor time'),
  ],
};

const countOf = ({ quick }: Turn): number => (quick ? 2_000 : 5_000);

async function assentStarts(stage: Stage): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const admin = await stage.service('rules-service', databaseUrl);
  const { ruleId, clientId: apiClientId } = await setUpAssent(stage, admin.url);
  await admin.stop();
  const worker = await stage.service('ciba-worker', databaseUrl);
  const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: stage.rabbit.url };
  const seeder = await stage.program('seed/main.ts', seed);
  // Where the poller would listen: an event that nobody takes is published again and again.
  const channel = await (await connect(stage.rabbit.url)).createChannel();
  await channel.assertQueue('bench.initiated', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue('bench.initiated', 'assent.authorizations', 'authorization.initiated');
  const database = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const count = async (where: string) => {
    const { rows } = await database.query<{ number: number }>(`select count(*)::integer as number from ${where}`);
    return rows[0]!.number;
  };
  /** Whether there is one at least: to count thousands again and again would cost more than to start them. */
  const left = (where: string) => count(`(select from ${where} limit 1) as one`);
  return {
    name: 'Assent',
    kind: 'assent',
    run: async (turn) => {
      const batch: Batch = { count: countOf(turn), ruleId, apiClientId };
      worker.freeze();
      try {
        await seeder.call('requested', batch);
        await until(
          'every event waits in the queue',
          async () => (await count('outbox where published_at is null')) === 0,
        );
      } catch (error) {
        worker.thaw();
        throw error;
      }
      await channel.purgeQueue('bench.initiated');
      const sample = await started(stage, worker.pid, batch.count, async () => {
        worker.thaw();
        await until(
          'all are started',
          async () => (await left(`authorization_requests where status = 'requested'`)) === 0,
        );
        await until('all is published', async () => (await left('outbox where published_at is null')) === 0);
      });
      const pending = await count(`authorization_requests where status = 'pending'`);
      const attempts = await count('start_attempts');
      if (pending !== attempts) throw new Error(`${pending} are pending after ${attempts} attempts.`);
      return sample;
    },
    stop: () => database.end(),
  };
}

function filled(stage: Stage, name: string, kind: Contestant['kind'], program: Program): Contestant {
  return {
    name,
    kind,
    run: async (turn) => {
      const count = countOf(turn);
      await program.call('fill', count);
      let pending = 0;
      const sample = await started(stage, program.pid, count, async () => {
        pending = await program.call<number>('run', count);
      });
      if (pending !== count) throw new Error(`${pending} of ${count} are pending.`);
      return sample;
    },
  };
}

/** Measures starts; the provider must have been asked once about each. */
async function started(stage: Stage, pid: number, count: number, work: () => Promise<void>): Promise<Sample> {
  await stage.outside.call('reset');
  const meter = stage.meter([pid]);
  const [before, startedAt] = [meter.read(), performance.now()];
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const micros = usedBetween(before, meter.read());
  const { starts, startedAtMs } = await stage.outside.call<ProviderReport>('provider');
  if (starts !== count || startedAtMs.size !== count) {
    throw new Error(`${count} starts: the provider was asked ${starts} times about ${startedAtMs.size} persons.`);
  }
  return { operations: count, seconds, micros };
}
