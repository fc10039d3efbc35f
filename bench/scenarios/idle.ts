import { setTimeout as pause } from 'node:timers/promises';
import type { Contestant, Sample } from '../harness/contestant.js';
import { usedBetween } from '../harness/processor-time.js';
import type { Stage } from '../harness/stage.js';
import { percentile } from '../harness/statistics.js';
import type { IdleLimit } from '../limits/idle.js';
import type { ReceiverReport } from '../outside/receiver.js';
import { sharedNowMs, type ProviderReport } from '../outside/stub-provider.js';
import { atMost, figure, notMore } from './compare.js';
import type { Scenario } from './scenario.js';
import { until } from './until.js';
import { startWholeAssent } from './whole-assent.js';

const bare = 'the bare hops';
const asked = 'accepted → asked p50 ms';
const told = 'ping → callback p50 ms';

/** B14: one request at a time in a system that has nothing else to do. */
export const idle: Scenario = {
  name: 'idle',
  ids: ['B14'],
  title: 'One request alone',
  unit: 'requests',
  takes: { prepare: 16, round: 14 },
  says: 'one request after the other through all four services: from the 202 to the call at the provider, and from the ping to the callback',
  prepare: async (stage) => {
    await stage.outside.call('behave', { approveAfterMs: 0, interval: 5, expiresIn: 600, track: false });
    return [await assentIdle(stage), await bareIdle(stage)];
  },
  targets: (series) => [
    notMore(series, 15, asked, figure(asked)),
    notMore(series, 20, told, figure(told)),
    atMost(series, 3, 'Assent', bare, figure(asked), 'accepted → asked'),
    atMost(series, 3, 'Assent', bare, figure(told), 'ping → callback'),
  ],
};

/** One request of somebody: both waits in ms. */
type One = (hint: string) => Promise<{ readonly askedMs: number; readonly toldMs: number }>;

async function oneAfterTheOther(stage: Stage, app: readonly number[], one: One, count: number): Promise<Sample> {
  const meter = stage.meter(app);
  const [before, startedAt] = [meter.read(), performance.now()];
  const waits = [];
  for (let at = 0; at < count; at++) waits.push(await one(`person-${at}-${Date.now()}@example.com`));
  const micros = usedBetween(before, meter.read());
  const askedMs = waits.map((wait) => wait.askedMs);
  const toldMs = waits.map((wait) => wait.toldMs);
  return {
    operations: count,
    seconds: (performance.now() - startedAt) / 1000,
    micros,
    figures: {
      [asked]: percentile(askedMs, 50),
      'accepted → asked p99 ms': percentile(askedMs, 99),
      [told]: percentile(toldMs, 50),
      'ping → callback p99 ms': percentile(toldMs, 99),
    },
  };
}

async function assentIdle(stage: Stage): Promise<Contestant> {
  const { url, key, pids } = await startWholeAssent(stage, { deliveryMode: 'ping' });
  const callbackUrl = `${stage.outside.started.receiverUrls[0]!}/callbacks`;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const attributes = { amount: '25.00 EUR', payee: 'Shop' };
  const one: One = async (email) => {
    await stage.outside.call('reset');
    const body = JSON.stringify({ rule: 'Approve a payment', attributes: { ...attributes, email }, callbackUrl });
    const answer = await fetch(`${url}/v1/authorization-requests`, { method: 'POST', headers, body });
    const acceptedAtMs = sharedNowMs();
    if (answer.status !== 202) throw new Error(`the request was answered ${answer.status}`);
    const { id } = (await answer.json()) as { id: string };
    const askedMs = (await startedAt(stage, email)) - acceptedAtMs;
    await until('it is pending', async () => {
      const { status } = (await (await fetch(`${url}/v1/authorization-requests/${id}`, { headers })).json()) as {
        status: string;
      };
      return status === 'pending';
    });
    // The poller has been told as well by then, as it has whenever a person takes longer than a moment.
    await pause(20);
    const pingedAtMs = sharedNowMs();
    await stage.outside.call('ping', { hint: email, url: `${url}/v1/ciba/notifications` });
    return { askedMs, toldMs: (await receivedAt(stage, id)) - pingedAtMs };
  };
  return {
    name: 'Assent',
    kind: 'assent',
    run: (turn) => oneAfterTheOther(stage, pids, one, turn.quick ? 20 : turn.warmUp ? 150 : 40),
  };
}

async function bareIdle(stage: Stage): Promise<Contestant> {
  const { issuer, receiverUrls } = stage.outside.started;
  const config: IdleLimit = {
    databaseUrl: await stage.emptyDatabase(),
    amqpUrl: stage.rabbit.url,
    issuer,
    callbackUrl: receiverUrls[0]!,
  };
  const program = await stage.program<number>('limits/idle.ts', config);
  const call = (path: string, body: object) =>
    fetch(`http://127.0.0.1:${program.started}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const one: One = async (hint) => {
    await stage.outside.call('reset');
    const { id } = (await (await call('/requests', { hint })).json()) as { id: string };
    const acceptedAtMs = sharedNowMs();
    const askedMs = (await startedAt(stage, hint)) - acceptedAtMs;
    await pause(20);
    const pingedAtMs = sharedNowMs();
    await call('/ping', { id });
    return { askedMs, toldMs: (await receivedAt(stage, id)) - pingedAtMs };
  };
  return {
    name: bare,
    kind: 'limit',
    run: (turn) => oneAfterTheOther(stage, [program.pid], one, turn.quick ? 20 : turn.warmUp ? 150 : 40),
  };
}

async function startedAt(stage: Stage, hint: string): Promise<number> {
  let at: number | undefined;
  await until('the provider was called', async () => {
    at = (await stage.outside.call<ProviderReport>('provider')).startedAtMs.get(hint);
    return at !== undefined;
  });
  return at!;
}

async function receivedAt(stage: Stage, id: string): Promise<number> {
  await stage.outside.call('received', { count: 1, limitMs: 60_000 });
  return (await stage.outside.call<ReceiverReport>('receiver')).receivedAtMs.get(id)!;
}
