import { setUpAssent } from '../harness/assent-setup.js';
import type { Contestant, Sample, Turn } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import type { LoadResult } from '../load/main.js';
import { rareRule, seedEnded } from '../seed/bulk.js';
import { atMost, figure } from './compare.js';
import type { Scenario } from './scenario.js';

const few = 1_000;
const many = 1_000_000;
const connections = 4;
const days = 365;
const fewName = `Assent with ${few.toLocaleString('en-GB')} requests`;
const dayMs = 86_400_000;
const daysAgo = (number: number) => encodeURIComponent(new Date(Date.now() - number * dayMs).toISOString());

/** What is asked for: the newest, and what a person looks for who looks for something. */
const filters: Readonly<Record<string, () => string>> = {
  all: () => '',
  denied: () => '&status=denied',
  failed: () => '&status=failed,cancelled',
  'rare rule': () => `&rule=${encodeURIComponent(rareRule)}`,
  'no such rule': () => '&rule=nobody',
  'long ago': () => `&createdBefore=${daysAgo(200)}`,
  'failed in a month': () => `&status=failed&createdAfter=${daysAgo(120)}&createdBefore=${daysAgo(90)}`,
};

/** B18, first half: the list of requests and its filters, over a thousand and over a million of them. */
export const lists: Scenario = {
  name: 'lists',
  ids: ['B18'],
  title: 'Listing requests',
  unit: 'lists',
  takes: { prepare: 100, round: 6 },
  notQuick: true,
  atMostRounds: 2,
  says: `a page of 50 of ${many.toLocaleString('en-GB')} requests (a tenth of that when quick) and of ${few.toLocaleString('en-GB')}, over ${connections} connections, with one filter after the other`,
  prepare: async (stage) => [
    await listsOver(stage, 'Assent', 'assent', stage.options.quick ? many / 10 : many),
    await listsOver(stage, fewName, 'limit', few),
  ],
  targets: (series) =>
    Object.keys(filters).map((name) => atMost(series, 3, 'Assent', fewName, figure(p99Of(name)), p99Of(name))),
};

const p99Of = (filter: string): string => `${filter} p99 ms`;

async function listsOver(stage: Stage, name: string, kind: Contestant['kind'], count: number): Promise<Contestant> {
  const databaseUrl = await stage.freshDatabase();
  const service = await stage.service('rules-service', databaseUrl);
  const { ruleId, ruleName, clientId: apiClientId } = await setUpAssent(stage, service.url);
  await seedEnded({ databaseUrl, count, apiClientId, ruleId, ruleName, days, timelines: false });
  const { url, port, pid } = service;
  return { name, kind, run: (turn) => listAll(stage, { url, port, pid }, turn) };
}

async function listAll(
  stage: Stage,
  { url, port, pid }: { readonly url: string; readonly port: number; readonly pid: number },
  turn: Turn,
): Promise<Sample> {
  const count = turn.quick || turn.warmUp ? 60 : 200;
  const headers = { authorization: `Bearer ${stage.apiKey}` };
  const figures: Record<string, number> = {};
  const meter = stage.meter([pid]);
  const [before, startedAt] = [meter.read(), performance.now()];
  for (const [name, query] of Object.entries(filters)) {
    const path = `/v1/authorization-requests?limit=50${query()}`;
    await verify(url, path, headers, name);
    const ids = Array.from({ length: count }, (_, at) => String(at));
    const load = { port, connections, method: 'GET', path, headers, body: '', ids };
    const { statuses, p99Ms } = await stage.load.call<LoadResult>('load', load);
    if (statuses[200] !== count) throw new Error(`${count} lists were answered ${JSON.stringify(statuses)}.`);
    figures[p99Of(name)] = p99Ms;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const micros = usedBetween(before, meter.read());
  return { operations: count * Object.keys(filters).length, seconds, micros, figures };
}

/** Looks whether a list holds what it was asked for, and as much of it as it should. */
async function verify(url: string, path: string, headers: Record<string, string>, name: string): Promise<void> {
  const answer = await fetch(`${url}${path}`, { headers });
  const { data } = (await answer.json()) as { data: { id: string; status: string; rule: { name: string } }[] };
  const query = new URLSearchParams(path.slice(path.indexOf('?')));
  const [status, rule] = [query.get('status'), query.get('rule')];
  const right = data.every(
    (one) => (status ?? one.status).includes(one.status) && (rule ?? one.rule.name) === one.rule.name,
  );
  const newestFirst = data.every(({ id }, at) => at === 0 || id < data[at - 1]!.id);
  const sizes: Readonly<Record<string, number>> = {
    all: 50,
    denied: 50,
    'rare rule': 20,
    'no such rule': 0,
    'long ago': 50,
  };
  const expected = sizes[name];
  if (!right || !newestFirst || (expected !== undefined && data.length !== expected)) {
    throw new Error(`The list "${name}" has ${data.length} requests, not all of them as they should be.`);
  }
}
