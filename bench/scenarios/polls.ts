import { setTimeout as pause } from 'node:timers/promises';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { setUpAssent } from '../harness/assent-setup.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import type { PollsLimit } from '../limits/polls.js';
import type { SkipLockedPolls } from '../peers/skip-locked-polls.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { atLeast, atMost, costOf, rateOf } from './compare.js';
import type { Scenario } from './scenario.js';
import { settleSeed } from './settle.js';
import { until } from './until.js';

const requests = 20_000;
const inFlight = 64;
/** So short that nobody can keep it for so many: everybody polls as fast as they can. */
const intervalSeconds = 1;
const loop = 'a bare loop of undici dispatches';
const ownClient = 'SKIP LOCKED + undici';
const library = 'SKIP LOCKED + openid-client';

/** B4: 20,000 pending requests, 64 polls in flight, more due than anybody can send. */
export const polls: Scenario = {
  name: 'polls',
  ids: ['B4'],
  title: 'Polling, as fast as it goes',
  unit: 'polls',
  says: `${requests} pending requests, ${inFlight} polls in flight, more due than can be sent`,
  prepare: async (stage) => {
    await stage.outside.call('behave', { approveAfterMs: null, interval: 1, expiresIn: 7200, track: false });
    const { issuer } = stage.outside.started;
    const limit = await stage.program('limits/polls.ts', { issuer, inFlight, requests } satisfies PollsLimit);
    return [
      await assentPolls(stage),
      looping(stage, loop, 'limit', limit),
      await skipLocked(stage, ownClient, 'undici'),
      await skipLocked(stage, library, 'openid-client'),
      ...(await queuePeers(stage)),
    ];
  },
  targets: (series) => [
    atLeast(series, 0.9, 'Assent', loop, rateOf),
    atMost(series, 1.12, 'Assent', loop, costOf, 'processor time'),
    atLeast(series, 1.8, 'Assent', ownClient, rateOf),
    ...[library, ...Object.keys(queues)].map((peer) => atLeast(series, 20, 'Assent', peer, rateOf)),
  ],
};

async function assentPolls(stage: Stage): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const admin = await stage.service('rules-service', databaseUrl);
  const { ruleId, clientId: apiClientId } = await setUpAssent(stage, admin.url);
  await admin.stop();
  const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: null };
  const seeder = await stage.program('seed/main.ts', seed);
  const batch: Batch = { count: requests, ruleId, apiClientId, intervalSeconds };
  await seeder.call('pending', batch);
  await seeder.stop();
  await settleSeed(databaseUrl);
  return {
    name: 'Assent',
    kind: 'assent',
    run: async (turn) => {
      const poller = await stage.service('poller', databaseUrl, {
        POLLER_MAX_IN_FLIGHT_PER_PROVIDER: String(inFlight),
        POLLER_POLLS_PER_SECOND_PER_PROVIDER: '1000000',
      });
      try {
        await until('all requests are adopted', async () => {
          return (await poller.metric('assent_pending_authentications')) === requests;
        });
        // The process is new: until its code is compiled it is slower than it will be for the rest of its life.
        await pause(4_000);
        return await window(stage, poller.pid, secondsOf(turn));
      } finally {
        await poller.stop();
      }
    },
  };
}

const secondsOf = ({ quick, warmUp }: Turn): number => (quick || warmUp ? 3 : 6);

/** Counts at the provider what somebody polls who polls by himself. */
async function window(stage: Stage, pid: number, seconds: number): Promise<Sample> {
  const meter = stage.meter([pid]);
  const [before, from, startedAt] = [meter.read(), await stage.outside.call<number>('polls'), performance.now()];
  await pause(seconds * 1000);
  const micros = usedBetween(before, meter.read());
  const operations = (await stage.outside.call<number>('polls')) - from;
  return { operations, seconds: (performance.now() - startedAt) / 1000, micros };
}

interface Poller {
  readonly pid: number;
  call<Value>(command: string, value: unknown): Promise<Value>;
}

/** Somebody who polls for so many seconds when told so. */
function looping(stage: Stage, name: string, kind: Contestant['kind'], poller: Poller): Contestant {
  return {
    name,
    kind,
    run: async (turn) => {
      const meter = stage.meter([poller.pid]);
      const [before, from, startedAt] = [meter.read(), await stage.outside.call<number>('polls'), performance.now()];
      const operations = await poller.call<number>('poll', secondsOf(turn));
      const seconds = (performance.now() - startedAt) / 1000;
      const micros = usedBetween(before, meter.read());
      const received = (await stage.outside.call<number>('polls')) - from;
      if (received < operations) throw new Error(`${name} counts ${operations} polls; ${received} have come.`);
      return { operations, seconds, micros };
    },
  };
}

async function skipLocked(stage: Stage, name: string, client: SkipLockedPolls['client']): Promise<Contestant> {
  const databaseUrl = await stage.emptyDatabase();
  const { issuer } = stage.outside.started;
  const config: SkipLockedPolls = { databaseUrl, issuer, inFlight, requests, intervalSeconds, client };
  return looping(stage, name, 'peer', await stage.program('peers/skip-locked-polls.ts', config));
}

const queues = {
  'BullMQ + openid-client': 'peers/packages/bullmq-polls.mjs',
  'pg-boss + openid-client': 'peers/packages/pg-boss-polls.mjs',
} as const;

async function queuePeers(stage: Stage): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const [name, file] of Object.entries(queues)) {
    const redis = file.includes('bullmq') ? await stage.redis() : null;
    if (file.includes('bullmq') && redis === null) continue;
    const databaseUrl = await stage.emptyDatabase();
    const { issuer } = stage.outside.started;
    const config = { databaseUrl, issuer, inFlight, requests: 5_000, intervalSeconds, redisPort: redis?.port ?? null };
    contestants.push(looping(stage, name, 'peer', await stage.program(file, config)));
  }
  return contestants;
}
