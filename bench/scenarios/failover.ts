import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { setUpAssent } from '../harness/assent-setup.js';
import type { AssentService } from '../harness/assent-service.js';
import type { Sample, Turn } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import { percentile } from '../harness/statistics.js';
import type { ProviderReport } from '../outside/stub-provider.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { figure, notMore } from './compare.js';
import type { Scenario } from './scenario.js';
import { settleSeed } from './settle.js';
import { until } from './until.js';

const full = 50_000;
const intervalSeconds = 5;
/** The poller's default. */
const leaseSeconds = 10;
const longest = 'until the last is polled s';

/** B7: one of two pollers is killed; each of its requests is polled again by the other one. */
export const failover: Scenario = {
  name: 'failover',
  ids: ['B7'],
  title: 'A poller dies',
  unit: 'polls',
  takes: { prepare: 50, round: 32 },
  notQuick: true,
  atMostRounds: 2,
  rateIsSet: true,
  says: `${full} pending requests (a tenth when quick), an interval of ${intervalSeconds} s, a lease of ${leaseSeconds} s; one of two pollers is killed, and the time is taken until each of all requests was polled after that`,
  prepare: async (stage) => {
    const databaseUrl = await stage.freshDatabase();
    const admin = await stage.service('rules-service', databaseUrl);
    const { ruleId, clientId: apiClientId } = await setUpAssent(stage, admin.url);
    await admin.stop();
    const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: null };
    const seeder = await stage.program('seed/main.ts', seed);
    const count = stage.options.quick ? full / 10 : full;
    await seeder.call('pending', { count, ruleId, apiClientId, intervalSeconds } satisfies Batch);
    await seeder.stop();
    await settleSeed(databaseUrl);
    await stage.outside.call('behave', {
      approveAfterMs: null,
      interval: intervalSeconds,
      expiresIn: 7200,
      track: true,
    });
    const pollers = [await startPoller(stage, databaseUrl), await startPoller(stage, databaseUrl)];
    return [{ name: 'Assent', kind: 'assent', run: (turn) => killOne(stage, { databaseUrl, pollers, count }, turn) }];
  },
  targets: (series) => [
    notMore(series, leaseSeconds + 1 + intervalSeconds, longest, figure(longest)),
    notMore(series, 0, 'polls that come too soon', figure('early')),
    notMore(series, 0, 'requests that are lost', figure('lost')),
  ],
};

const startPoller = (stage: Stage, databaseUrl: string): Promise<AssentService> =>
  stage.service('poller', databaseUrl, { POLLER_POLLS_PER_SECOND_PER_PROVIDER: '100000' });

interface House {
  readonly databaseUrl: string;
  readonly pollers: AssentService[];
  readonly count: number;
}

async function killOne(stage: Stage, { databaseUrl, pollers, count }: House, turn: Turn): Promise<Sample> {
  await until('the pollers share all requests', async () => {
    const shares = await Promise.all(
      pollers.map(async (poller) => ({
        shards: await poller.metric('assent_owned_shards'),
        pending: await poller.metric('assent_pending_authentications'),
      })),
    );
    return (
      shares.every(({ shards }) => shards === 128) && shares.reduce((sum, { pending }) => sum + pending, 0) === count
    );
  });
  const [survivor, victim] = turn.round % 2 === 0 ? pollers : [...pollers].reverse();
  if (turn.warmUp) return { operations: 1, seconds: 1, micros: {} };
  await stage.outside.call('reset');
  await pause(intervalSeconds * 2_000);
  const meter = stage.meter([survivor!.pid]);
  const [before, startedAt] = [meter.read(), performance.now()];
  await stage.outside.call('mark');
  await victim!.kill9();
  let seen = new Float64Array();
  await until(
    'every request was polled again',
    async () => {
      await pause(250);
      seen = await stage.outside.call<Float64Array<ArrayBuffer>>('sinceMark');
      return seen.length === count;
    },
    60_000,
  );
  const micros = usedBetween(before, meter.read());
  const seconds = (performance.now() - startedAt) / 1000;
  const { polls, early } = await stage.outside.call<ProviderReport>('provider');
  const lost = count - (await stillPending(databaseUrl));
  pollers.splice(pollers.indexOf(victim!), 1, await startPoller(stage, databaseUrl));
  return {
    operations: polls,
    seconds,
    micros,
    figures: { 'p50 s': percentile(seen, 50) / 1000, [longest]: percentile(seen, 100) / 1000, early, lost },
  };
}

async function stillPending(databaseUrl: string): Promise<number> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  const text = `select count(*)::integer as number from authorization_requests where status = 'pending'`;
  const { rows } = await database.query<{ number: number }>(text).finally(() => database.end());
  return rows[0]!.number;
}
