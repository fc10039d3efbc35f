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
import type { OpenidClientLoops } from '../peers/openid-client-loops.js';
import type { SkipLockedPolls } from '../peers/skip-locked-polls.js';
import type { Batch, SeedConfig } from '../seed/main.js';
import { figure, notMore } from './compare.js';
import type { Scenario } from './scenario.js';
import { settleSeed } from './settle.js';
import { until } from './until.js';

const intervalSeconds = 5;
const lateness = 'assent_poll_lateness_seconds';
const skipLocked = 'SKIP LOCKED + undici';
const loopsAtMost = 5_000;
const library = `openid-client's own loop for each of ${loopsAtMost}`;

/** B5, B6 and the rhythm of B12: many pending requests, each polled on its own interval. */
export const paced = pacedWith({
  name: 'paced',
  ids: ['B5', 'B6', 'B12'],
  count: 50_000,
  takes: { prepare: 45, round: 14 },
  limits: { lateP99Ms: 25, cores: 0.4, bytes: 1024 },
});

/** B5: a size at which others can keep up as well. */
export const pacedSmall = pacedWith({
  name: 'paced-10k',
  ids: ['B5'],
  count: 10_000,
  takes: { prepare: 20, round: 80 },
  limits: {},
  peers: true,
  onRequest: true,
});

/** B5: 20,000 polls a second. */
export const pacedLarge = pacedWith({
  name: 'paced-100k',
  ids: ['B5'],
  count: 100_000,
  takes: { prepare: 80, round: 14 },
  limits: { lateP99Ms: 50 },
  onRequest: true,
});

interface Size extends Pick<Scenario, 'name' | 'ids' | 'takes' | 'onRequest'> {
  readonly count: number;
  readonly limits: { readonly lateP99Ms?: number; readonly cores?: number; readonly bytes?: number };
  readonly peers?: true;
}

function pacedWith({ count, limits, peers, ...named }: Size): Scenario {
  const size = count.toLocaleString('en-GB');
  return {
    ...named,
    title: `Polling on time, ${size} pending`,
    unit: 'polls',
    atMostRounds: 3,
    notQuick: true,
    rateIsSet: true,
    says: `${size} pending requests, an interval of ${intervalSeconds} s; late by the poller's own clock, and more than an interval apart as the provider sees it, where every wait is stretched by up to 2 %`,
    prepare: async (stage) => {
      const behaviour = { approveAfterMs: null, interval: intervalSeconds, expiresIn: 7200, track: true };
      await stage.outside.call('behave', behaviour);
      const rests = peers === true;
      return [
        await assentPaced(stage, { count, rests }),
        ...(rests ? [await skipLockedPaced(stage, count), libraryPaced(stage)] : []),
      ];
    },
    targets: (series) => [
      ...(limits.lateP99Ms === undefined
        ? []
        : [notMore(series, limits.lateP99Ms, 'lateness p99 in ms', figure('late p99 ms'))]),
      ...(limits.cores === undefined ? [] : [notMore(series, limits.cores, 'cores', figure('cores'))]),
      notMore(series, 0, 'polls that come too soon', figure('early')),
      notMore(series, 0, 'statements that write, for each poll', figure('writes/poll')),
      ...(limits.bytes === undefined
        ? []
        : [notMore(series, limits.bytes, 'bytes for each pending request', figure('bytes/pending'))]),
    ],
  };
}

/** How many are pending, and whether the poller ends after its turn because others come after it. */
interface Pending {
  readonly count: number;
  readonly rests: boolean;
}

async function assentPaced(stage: Stage, { count: full, rests }: Pending): Promise<Contestant> {
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
  let poller: AssentService | null = null;
  const adopt = async (): Promise<AssentService> => {
    const adopting = await stage.service('poller', databaseUrl, { POLLER_POLLS_PER_SECOND_PER_PROVIDER: '100000' });
    await until('all requests are adopted', async () => {
      return (await adopting.metric('assent_pending_authentications')) === count;
    });
    // One interval spreads them out, another one compiles the code.
    await pause(intervalSeconds * 2_000);
    return adopting;
  };
  return {
    name: 'Assent',
    kind: 'assent',
    run: async () => {
      poller ??= await adopt();
      const sample = await watch(stage, databaseUrl, poller, { count, idleBytes });
      if (rests) {
        await poller.stop();
        poller = null;
      }
      return sample;
    },
  };
}

/** A poller with its schedule in a table and an HTTP client of our kind. */
async function skipLockedPaced(stage: Stage, count: number): Promise<Contestant> {
  const databaseUrl = await stage.emptyDatabase();
  const { issuer } = stage.outside.started;
  const config: SkipLockedPolls = {
    databaseUrl,
    issuer,
    inFlight: 64,
    requests: count,
    intervalSeconds,
    client: 'undici',
  };
  const program = await stage.program('peers/skip-locked-polls.ts', config);
  return {
    name: skipLocked,
    kind: 'peer',
    run: async () => {
      await program.call('spread');
      const polling = program.call<number>('poll', 4 * intervalSeconds);
      await pause(intervalSeconds * 2_000 - 500);
      const sample = await observe(stage, program.pid);
      await polling;
      return sample;
    },
  };
}

/** openid-client's own loops, begun anew in each turn: held up in between they would all go on at once. */
function libraryPaced(stage: Stage): Contestant {
  const config: OpenidClientLoops = { issuer: stage.outside.started.issuer, pending: loopsAtMost, intervalSeconds };
  return {
    name: library,
    kind: 'peer',
    run: async () => {
      const program = await stage.program('peers/openid-client-loops.ts', config, ['--expose-gc']);
      await program.call('open');
      await pause(intervalSeconds * 2_000);
      const sample = await observe(stage, program.pid);
      await program.stop();
      return sample;
    },
  };
}

/** What the provider sees of somebody for two intervals: of a request that is polled once nobody can say how late the next poll was. */
async function observe(stage: Stage, pid: number): Promise<Sample> {
  await stage.outside.call('reset');
  const meter = stage.meter([pid]);
  const [before, startedAt] = [meter.read(), performance.now()];
  await pause(2 * intervalSeconds * 1000);
  const micros = usedBetween(before, meter.read());
  const seconds = (performance.now() - startedAt) / 1000;
  const { polls, early, latenessMs } = await stage.outside.call<ProviderReport>('provider');
  return {
    operations: polls,
    seconds,
    micros,
    figures: {
      'apart p50 ms': percentile(latenessMs, 50),
      'apart p99 ms': percentile(latenessMs, 99),
      cores: micros['app']! / 1e6 / seconds,
      early,
    },
  };
}

/** What the provider sees of Assent's poller, and what the poller and the database know of it. */
async function watch(
  stage: Stage,
  databaseUrl: string,
  poller: AssentService,
  { count, idleBytes }: { readonly count: number; readonly idleBytes: number },
): Promise<Sample> {
  const writesBefore = await rowsWritten(databaseUrl);
  const lateBefore = await poller.histogram(lateness);
  const sample = await observe(stage, poller.pid);
  const late = await poller.histogram(lateness);
  const { polled } = await stage.outside.call<ProviderReport>('provider');
  if (polled !== count) throw new Error(`${polled} of ${count} requests were polled.`);
  return {
    ...sample,
    figures: {
      'late p50 ms': 1000 * percentileBetween(lateBefore, late, 50),
      'late p99 ms': 1000 * percentileBetween(lateBefore, late, 99),
      'late p99.9 ms': 1000 * percentileBetween(lateBefore, late, 99.9),
      ...sample.figures,
      // The leases are renewed whether or not anybody is polled: those rows are the same few every two seconds.
      'writes/poll':
        Math.max(0, (await rowsWritten(databaseUrl)) - writesBefore - leaseRows(sample.seconds)) / sample.operations,
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
