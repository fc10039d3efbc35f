import { setTimeout as pause } from 'node:timers/promises';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { setUpAssent, type Setup } from '../harness/assent-setup.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { settleSeed } from './settle.js';
import { until } from './until.js';

/** So many are pending, and so many polls are in flight, where everybody polls as fast as they can. */
export const requests = 20_000;
export const inFlight = 64;
/** So short that nobody can keep it for so many. */
export const intervalSeconds = 1;

const secondsOf = ({ quick, warmUp }: Turn): number => (quick || warmUp ? 2 : 3);

/** A poller of Assent that has more to do than it can, and how its rule is set up. */
export interface SaturatedAssent {
  readonly name: string;
  /** Creates what is polled for; a rule that authenticates by a secret unless given. */
  readonly setUp?: (url: string) => Promise<Setup>;
  /** Looks at the provider whether the polls were as they should be; throws when they were not. */
  readonly verify?: () => Promise<void>;
}

/** A poller of Assent with `requests` pending requests, all of them due sooner than it can ask. */
export async function saturatedAssent(
  stage: Stage,
  { name, setUp = (url) => setUpAssent(stage, url), verify }: SaturatedAssent,
): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const admin = await stage.service('rules-service', databaseUrl);
  const { ruleId, clientId: apiClientId } = await setUp(admin.url);
  await admin.stop();
  const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: null };
  const seeder = await stage.program('seed/main.ts', seed);
  const batch: Batch = { count: requests, ruleId, apiClientId, intervalSeconds };
  await seeder.call('pending', batch);
  await seeder.stop();
  await settleSeed(databaseUrl);
  return {
    name,
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
        await pause(3_000);
        const sample = await window(stage, poller.pid, secondsOf(turn));
        await verify?.();
        return sample;
      } finally {
        await poller.stop();
      }
    },
  };
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
