import type { Contestant } from '../harness/contestant.js';
import type { Stage } from '../harness/stage.js';
import type { PollsLimit } from '../limits/polls.js';
import type { SkipLockedPolls } from '../peers/skip-locked-polls.js';
import { atLeast, atMost, costOf, rateOf } from './compare.js';
import { inFlight, intervalSeconds, looping, manyRequests as requests, saturatedAssent } from './saturated.js';
import type { Scenario } from './scenario.js';

const loop = 'a bare loop of undici dispatches';
const ownClient = 'SKIP LOCKED + undici';
const library = 'SKIP LOCKED + openid-client';

/** B4: 50,000 pending requests, 64 polls in flight, more due than anybody can send. */
export const polls: Scenario = {
  name: 'polls',
  ids: ['B4'],
  title: 'Polling, as fast as it goes',
  unit: 'polls',
  takes: { prepare: 45, round: 26 },
  says: `${requests} pending requests, ${inFlight} polls in flight, more due than can be sent`,
  prepare: async (stage) => {
    await stage.outside.call('behave', { approveAfterMs: null, interval: 1, expiresIn: 7200, track: false });
    const { issuer } = stage.outside.started;
    const limit = await stage.program('limits/polls.ts', { issuer, inFlight, requests } satisfies PollsLimit);
    return [
      await saturatedAssent(stage, { name: 'Assent', pending: requests }),
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
