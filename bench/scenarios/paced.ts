import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { AssentService } from '../harness/assent-service.js';
import type { Contestant, Sample } from '../harness/contestant.js';
import { setUpAssent } from '../harness/assent-setup.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import { percentile, percentileBetween } from '../harness/statistics.js';
import type { ProviderReport } from '../outside/stub-provider.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { figure, notMore } from './compare.js';
import type { Scenario } from './scenario.js';
import { settleSeed } from './settle.js';
import { until } from './until.js';

const intervalSeconds = 5;
const full = 50_000;
const lateness = 'assent_poll_lateness_seconds';

/** B5, B6 and the rhythm of B12: many pending requests, each polled on its own interval. */
export const paced: Scenario = {
  name: 'paced',
  ids: ['B5', 'B6', 'B12'],
  title: 'Polling on time',
  unit: 'polls',
  takes: { prepare: 45, round: 14 },
  atMostRounds: 3,
  notQuick: true,
  rateIsSet: true,
  says: `${full} pending requests, an interval of ${intervalSeconds} s; late by the poller's own clock, and more than an interval apart as the provider sees it, where every wait is stretched by up to 2 %`,
  prepare: async (stage) => [await assentPaced(stage)],
  targets: (series) => [
    notMore(series, 25, 'lateness p99 in ms', figure('late p99 ms')),
    notMore(series, 0.4, 'cores', figure('cores')),
    notMore(series, 0, 'polls that come too soon', figure('early')),
    notMore(series, 0, 'statements that write, for each poll', figure('writes/poll')),
    notMore(series, 1024, 'bytes for each pending request', figure('bytes/pending')),
  ],
};

async function assentPaced(stage: Stage): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const admin = await stage.service('rules-service', databaseUrl);
  const { ruleId, clientId: apiClientId } = await setUpAssent(stage, admin.url);
  await admin.stop();
  // What a poller needs before it has anything to poll.
  const idle = await stage.service('poller', databaseUrl);
  await pause(5_000);
  const idleBytes = residentBytes(idle.pid);
  await idle.stop();
  const seed: SeedConfig = { databaseUrl, masterKeys: stage.masterKeys, amqpUrl: null };
  const seeder = await stage.program('seed/main.ts', seed);
  const count = stage.options.quick ? full / 5 : full;
  await seeder.call('pending', { count, ruleId, apiClientId, intervalSeconds } satisfies Batch);
  await seeder.stop();
  await settleSeed(databaseUrl);
  const behaviour = { approveAfterMs: null, interval: intervalSeconds, expiresIn: 7200, track: true };
  await stage.outside.call('behave', behaviour);
  let poller: AssentService | null = null;
  return {
    name: 'Assent',
    kind: 'assent',
    run: async () => {
      if (poller === null) {
        poller = await stage.service('poller', databaseUrl, { POLLER_POLLS_PER_SECOND_PER_PROVIDER: '100000' });
        const adopting = poller;
        await until('all requests are adopted', async () => {
          return (await adopting.metric('assent_pending_authentications')) === count;
        });
        // One interval spreads them out, another one compiles the code.
        await pause(intervalSeconds * 2_000);
      }
      return watch(stage, databaseUrl, poller, { count, idleBytes });
    },
  };
}

async function watch(
  stage: Stage,
  databaseUrl: string,
  poller: AssentService,
  { count, idleBytes }: { readonly count: number; readonly idleBytes: number },
): Promise<Sample> {
  const writesBefore = await rowsWritten(databaseUrl);
  await stage.outside.call('reset');
  const lateBefore = await poller.histogram(lateness);
  const meter = stage.meter([poller.pid]);
  const [before, startedAt] = [meter.read(), performance.now()];
  // Two intervals: of a request that is polled only once nobody can say how late the next poll was.
  await pause(2 * intervalSeconds * 1000);
  const micros = usedBetween(before, meter.read());
  const seconds = (performance.now() - startedAt) / 1000;
  const late = await poller.histogram(lateness);
  const { polls, polled, early, latenessMs } = await stage.outside.call<ProviderReport>('provider');
  if (polled !== count) throw new Error(`${polled} of ${count} requests were polled.`);
  return {
    operations: polls,
    seconds,
    micros,
    figures: {
      'late p50 ms': 1000 * percentileBetween(lateBefore, late, 50),
      'late p99 ms': 1000 * percentileBetween(lateBefore, late, 99),
      'late p99.9 ms': 1000 * percentileBetween(lateBefore, late, 99.9),
      'apart p50 ms': percentile(latenessMs, 50),
      'apart p99 ms': percentile(latenessMs, 99),
      cores: micros['app']! / 1e6 / seconds,
      early,
      // The leases are renewed whether or not anybody is polled: those rows are the same few every two seconds.
      'writes/poll': Math.max(0, (await rowsWritten(databaseUrl)) - writesBefore - leaseRows(seconds)) / polls,
      'bytes/pending': (residentBytes(poller.pid) - idleBytes) / count,
    },
  };
}

/** 256 shards and one instance, every two seconds; one renewal more at either end of the time. */
const leaseRows = (seconds: number): number => (Math.ceil(seconds / 2) + 1) * 257;

async function rowsWritten(databaseUrl: string): Promise<number> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const { rows } = await database.query<{ written: number }>(
      `select (tup_inserted + tup_updated + tup_deleted)::float8 as written
       from pg_stat_database where datname = current_database()`,
    );
    return rows[0]!.written;
  } finally {
    await database.end();
  }
}

/** The memory that a process really has, in bytes. */
function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`The memory of process ${pid} cannot be read.`);
  return Number(kilobytes) * 1024;
}
