import { setUpAssent } from '../harness/assent-setup.js';
import type { Stage } from '../harness/stage.js';
import { until } from './until.js';

/** One of each service over a database of its own, with a rule and a client. */
export interface WholeAssent {
  readonly url: string;
  readonly port: number;
  readonly key: string;
  readonly pids: readonly number[];
  readonly databaseUrl: string;
}

/** Starts one of each service; ready when the poller owns every shard. `rule` replaces members of the rule. */
export async function startWholeAssent(stage: Stage, rule: object = {}): Promise<WholeAssent> {
  const databaseUrl = await stage.freshDatabase();
  const rules = await stage.service('rules-service', databaseUrl);
  const { key } = await setUpAssent(stage, rules.url, rule);
  const worker = await stage.service('ciba-worker', databaseUrl, { ASSENT_PUBLIC_URL: rules.url });
  const poller = await stage.service('poller', databaseUrl);
  const decisions = await stage.service('decision-service', databaseUrl);
  await until('the poller owns all shards', async () => (await poller.metric('assent_owned_shards')) === 256);
  const pids = [rules, worker, poller, decisions].map(({ pid }) => pid);
  return { url: rules.url, port: rules.port, key, pids, databaseUrl };
}
