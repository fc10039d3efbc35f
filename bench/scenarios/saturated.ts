import { setTimeout as pause } from 'node:timers/promises';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import type { AssentService } from '../harness/assent-service.js';
import { setUpAssent, type Setup } from '../harness/assent-setup.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { settleSeed } from './settle.js';
import { until } from './until.js';

/** So many are pending, and so many polls are in flight, where everybody polls as fast as they can. */
export const requests = 20_000;
/** Where nothing is signed or encrypted: more than the fastest can ask in an interval, so that the interval limits nobody. */
export const manyRequests = 50_000;
export const inFlight = 64;
/** So short that nobody can keep it for so many. */
export const intervalSeconds = 1;

/** Who has been frozen has to get its shards back first; after so many polls that is long over. */
const pollsToFullSpeed = 20_000;

const secondsOf = ({ quick, warmUp }: Turn): number => (quick ? 2 : warmUp ? 6 : 3);

/** A poller of Assent that has more to do than it can, and how its rule is set up. */
export interface SaturatedAssent {
  readonly name: string;
  /** So many are pending; `requests` unless given. */
  readonly pending?: number;
  /** Creates what is polled for; a rule that authenticates by a secret unless given. */
  readonly setUp?: (url: string) => Promise<Setup>;
  /** Looks at the provider whether the polls were as they should be; throws when they were not. */
  readonly verify?: () => Promise<void>;
}

/** A poller of Assent with that many pending requests, all of them due sooner than it can ask. */
export async function saturatedAssent(
  stage: Stage,
  { name, pending = requests, setUp = (url) => setUpAssent(stage, url), verify }: SaturatedAssent,
): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const admin = await stage.service('rules-service', databaseUrl);
  const { ruleId, clientId: apiClientId } = await setUp(admin.url);
  await admin.stop();
  const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: null };
  const seeder = await stage.program('seed/main.ts', seed);
  const batch: Batch = { count: pending, ruleId, apiClientId, intervalSeconds };
  await seeder.call('pending', batch);
  await seeder.stop();
  await settleSeed(databaseUrl);
  let poller: AssentService | null = null;
  return {
    name,
    kind: 'assent',
    run: async (turn) => {
      // The same process in every round, as everybody's is: a new one polls slowly until its code is compiled.
      if (poller === null) poller = await adoptingPoller(stage, databaseUrl, pending);
      else poller.thaw();
      try {
        await atFullSpeed(stage);
        const sample = await window(stage, poller.pid, secondsOf(turn));
        await verify?.();
        return sample;
      } finally {
        poller.freeze();
      }
    },
    stop: async () => {
      poller?.thaw();
      await poller?.stop();
    },
  };
}

/** A poller that has adopted so many requests. */
async function adoptingPoller(stage: Stage, databaseUrl: string, pending: number): Promise<AssentService> {
  const poller = await stage.service('poller', databaseUrl, {
    POLLER_MAX_IN_FLIGHT_PER_PROVIDER: String(inFlight),
    POLLER_POLLS_PER_SECOND_PER_PROVIDER: '1000000',
  });
  await until('all requests are adopted', async () => {
    return (await poller.metric('assent_pending_authentications')) === pending;
  });
  return poller;
}

/** Resolves when it polls as it will for the rest of its turn. */
async function atFullSpeed(stage: Stage): Promise<void> {
  const from = await stage.outside.call<number>('polls');
  await until(
    'it polls at full speed',
    async () => (await stage.outside.call<number>('polls')) - from > pollsToFullSpeed,
  );
}

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

/** Somebody who polls for so many seconds when told so; every poll is counted at the provider as well. */
export function looping(stage: Stage, name: string, kind: Contestant['kind'], poller: Poller): Contestant {
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
