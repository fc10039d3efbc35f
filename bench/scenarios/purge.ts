import { connect } from 'amqplib';
import pg from 'pg';
import { setUpAssent, type Setup } from '../harness/assent-setup.js';
import type { AssentService } from '../harness/assent-service.js';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import type { Series } from '../harness/rounds.js';
import type { Stage } from '../harness/stage.js';
import { seedEnded } from '../seed/bulk.js';
import { atLeast, figure, rateOf } from './compare.js';
import { runLoad } from './ingest.js';
import type { Scenario, Target } from './scenario.js';
import { until } from './until.js';

const alone = 'Assent with nothing to purge';
const purged = 'purged requests/s';

/** B18, second half: what has served its time is purged while requests come in. */
export const purge: Scenario = {
  name: 'purge',
  ids: ['B18'],
  title: 'Accepting while old requests are purged',
  unit: 'requests',
  takes: { prepare: 45, round: 16 },
  notQuick: true,
  atMostRounds: 2,
  says: 'as B1, while the decision service purges requests that are older than their time, with decisions and timelines, as fast as it does',
  prepare: async (stage) => {
    const databaseUrl = await stage.freshDatabase();
    const service = await stage.service('rules-service', databaseUrl);
    const setup = await setUpAssent(stage, service.url);
    // An event that nobody takes is swept again and again.
    const broker = await connect(stage.rabbit.url);
    const channel = await broker.createChannel();
    await channel.assertQueue('bench.requested', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue('bench.requested', 'assent.authorizations', 'authorization.#');
    const { ruleId, ruleName, clientId: apiClientId } = setup;
    const count = stage.options.quick ? 40_000 : 300_000;
    await seedEnded({ databaseUrl, count, apiClientId, ruleId, ruleName, days: 300, timelines: true });
    const house: House = { stage, service, setup, databaseUrl };
    return [
      { name: 'Assent', kind: 'assent', run: (turn) => whilePurging(house, turn), stop: () => broker.close() },
      { name: alone, kind: 'limit', run: (turn) => ingest(house, turn) },
    ] satisfies Contestant[];
  },
  targets: (series): Target[] => [atLeast(series, 0.8, 'Assent', alone, rateOf), purgesAlways(series)],
};

function purgesAlways(series: readonly Series[]): Target {
  const rates = series.find(({ name }) => name === 'Assent')!.samples.map(figure(purged));
  const least = Math.min(...rates);
  return { text: 'purges in every round', measured: least, reached: least > 0 };
}

interface House {
  readonly stage: Stage;
  readonly service: AssentService;
  readonly setup: Setup;
  readonly databaseUrl: string;
}

async function ingest({ stage, service, setup, databaseUrl }: House, turn: Turn): Promise<Sample> {
  const { rows } = await query<{ now: string }>(databaseUrl, 'select clock_timestamp()::text as now');
  const place = { port: service.port, key: setup.key, pid: service.pid };
  return runLoad(stage, place, turn, async (accepted) => {
    const since = `select count(*)::integer as number from authorization_requests where created_at >= $1 and status = 'requested'`;
    const stored = (await query<{ number: number }>(databaseUrl, since, [rows[0]!.now])).rows[0]!.number;
    if (stored !== accepted) throw new Error(`${accepted} requests were accepted and ${stored} are stored.`);
  });
}

async function whilePurging(house: House, turn: Turn): Promise<Sample> {
  const { stage, databaseUrl } = house;
  const startedWith = await endedRequests(databaseUrl);
  const purger = await stage.service('decision-service', databaseUrl, {
    ASSENT_KEEP_REQUESTS_DAYS: '100',
    ASSENT_KEEP_TIMELINES_DAYS: '100',
  });
  try {
    await until('the purge has begun', async () => (await endedRequests(databaseUrl)) < startedWith);
    const before = await endedRequests(databaseUrl);
    const sample = await ingest(house, turn);
    const gone = before - (await endedRequests(databaseUrl));
    return { ...sample, figures: { ...sample.figures, [purged]: gone / sample.seconds } };
  } finally {
    await purger.stop();
  }
}

/** Requests that had ended before the run; only those have decisions. */
async function endedRequests(databaseUrl: string): Promise<number> {
  const { rows } = await query<{ number: number }>(databaseUrl, 'select count(*)::integer as number from decisions');
  return rows[0]!.number;
}

async function query<Row extends pg.QueryResultRow>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<pg.QueryResult<Row>> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  return database.query<Row>(text, [...values]).finally(() => database.end());
}
