import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AssentClient } from '../support/assent-client.js';
import { Cluster, pollerLease } from './cluster.js';
import { configure, newMarkers, providerClients, type Configuration } from './configuration.js';
import { planFaults } from './fault-plan.js';
import { Faults } from './faults.js';
import { Ledger } from './ledger.js';
import { Load } from './load.js';
import { LedgerProvider } from './provider-ledger.js';
import { dumpDatabase, untilQuiescent, type Quiescence } from './quiescence.js';
import { Random } from './random.js';
import { Recovery } from './recovery.js';
import { planRequest } from './request-plan.js';
import { AmqpLedger, WebhookLedger } from './sinks.js';
import { countSometimes } from './sometimes.js';
import { Stalls } from './stalls.js';

/** How a run is made. */
export interface RunOptions {
  readonly seed: number;
  readonly requests: number;
  readonly faults: number;
  readonly wipes: number;
  /** How long load and faults last. */
  readonly overMs: number;
  /** How long the system may take to come to rest once everything is healed. */
  readonly settleMs: number;
  /** An empty folder, or one that is made. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly tell: (progress: Progress) => void;
}

/** Where a run stands. */
export interface Progress {
  readonly phase: 'starting' | 'load and faults' | 'coming to rest' | 'dumping' | 'stopping';
  readonly requests: number;
  readonly decided: number;
  readonly faults: number;
  /** The longest recovery so far, in ms. */
  readonly slowestRecoveryMs: number;
  readonly note: string;
}

/** What the run itself knows when it is over; the checker judges the folder. */
export interface RunResult {
  readonly quiescence: Quiescence;
  readonly unexpected: readonly string[];
  readonly recoveries: Recovery['times'];
  /** How often the machine had no time for this process. */
  readonly stalls: number;
}

/** Between two requests once all that were asked for have been submitted, until the last fault is recovered from. */
const trickleEveryMs = 1_000;

/** Makes one run and leaves its history in the folder. */
export async function runChaos(options: RunOptions): Promise<RunResult> {
  const { folder, seed, signal } = options;
  // Every call of every caller listens for the end of the run.
  setMaxListeners(0, signal);
  await mkdir(folder, { recursive: true });
  const ledgers = Object.fromEntries(
    ['clients', 'provider', 'webhooks', 'amqp', 'faults', 'recovery'].map((name) => [
      name,
      new Ledger(folder, `${name}.jsonl`),
    ]),
  ) as Record<'clients' | 'provider' | 'webhooks' | 'amqp' | 'faults' | 'recovery', Ledger>;
  const ends: (() => Promise<unknown>)[] = [];
  const progress = { requests: 0, decided: 0, faults: 0, slowestRecoveryMs: 0 };
  const tell = (phase: Progress['phase'], note = ''): void => options.tell({ phase, note, ...progress });
  const startedAtMs = Date.now();
  try {
    tell('starting', 'Postgres and RabbitMQ');
    const cluster = await Cluster.prepare(folder);
    ends.push(() => cluster.stop());
    signal.throwIfAborted();

    const markers = newMarkers();
    const clients = providerClients(markers);
    const plans = Array.from({ length: options.requests }, (_, n) =>
      planRequest(seed, n, Math.round((n * options.overMs) / options.requests), markers.loginHint),
    );
    const people = new Map(plans.map(({ loginHint, person }) => [loginHint, person]));
    const provider = await LedgerProvider.start({
      ledger: ledgers.provider,
      clients: Object.values(clients),
      person: (hint) => people.get(hint) ?? null,
      notificationUrls: () => cluster.apiUrls,
      markers,
    });
    ends.push(() => provider.stop());
    const providerLink = await cluster.link('provider', provider.port);
    provider.issuer = `http://127.0.0.1:${providerLink.port}`;

    const endpoints = new Map<string, string>();
    const sinks = await Promise.all(
      [1, 2].map(async (n) => {
        const random = new Random(seed, `sink ${n}`);
        const sink = await WebhookLedger.start(ledgers.webhooks, random, (path) => endpoints.get(path) ?? null);
        ends.push(() => sink.stop());
        return { sink, link: await cluster.link(`sink-${n}`, sink.port) };
      }),
    );
    const [sinkUrl, otherSinkUrl] = sinks.map(({ link }) => `http://127.0.0.1:${link.port}`) as [string, string];
    const subscriber = new AmqpLedger(cluster.rabbit.url, ledgers.amqp);
    ends.push(() => subscriber.stop());
    await subscriber.start();

    tell('starting', 'eight services');
    await cluster.startServices();
    const recovery = new Recovery(cluster, ledgers.recovery, (server) => load.underWayAt(server));
    for (const { slot } of cluster.of('poller')) await recovery.learn(slot.name, 'poller');
    const assent = new AssentClient(cluster.publicUrl, cluster.apiKey);
    const configuration = await configure(assent, clients, provider.issuer, [sinkUrl, otherSinkUrl]);
    for (const { id, url } of configuration.webhookEndpoints) endpoints.set(new URL(url).pathname, id);
    const jwks = new KeyCollection(cluster.apiUrls);
    await jwks.collect();

    const redeemed = new Map<string, () => void>();
    provider.on('start', (hint, atMs) => recovery.note('asked', hint, atMs));
    provider.on('token', (id, atMs) => recovery.note('polled', createHash('sha256').update(id).digest('hex'), atMs));
    provider.on('redeemed', (hint) => redeemed.get(hint)?.());
    for (const { sink } of sinks) sink.on('received', (id, atMs) => recovery.note('delivered', id, atMs));
    subscriber.on('received', (id, atMs) => recovery.note('published', id, atMs));

    const load = new Load({
      apiUrls: cluster.apiUrls,
      apiClients: configuration.apiClients,
      callbackUrl: `${sinkUrl}/callback`,
      ledger: ledgers.clients,
      onRedeemed: (hint, act) => redeemed.set(hint, act),
      onSubmitted: (server, id, atMs) => {
        recovery.note('submitted', id, atMs);
        recovery.note(`submitted at rules-service-${server + 1}`, id, atMs);
      },
      onAnswered: (call, atMs) => recovery.note('answered', call, atMs),
      signal,
    });
    ends.push(() => load.stop());
    const faults = new Faults({
      cluster,
      provider,
      providerLink,
      sinks,
      subscriber,
      recovery,
      ledger: ledgers.faults,
      signal,
      done: () => progress.faults++,
    });

    const watch = setInterval(() => {
      Object.assign(progress, {
        requests: load.tally.submitted,
        decided: load.tally.decided,
        slowestRecoveryMs: Math.max(0, ...recovery.times.map(({ ms }) => ms ?? 0)),
      });
      tell('load and faults');
    }, 1_000);
    ends.push(
      async () => clearInterval(watch),
      () => faults.settled(),
    );
    const stalls = new Stalls(ledgers.faults);
    ends.push(async () => stalls.stop());
    const loadBeganAtMs = Date.now();
    const playing = load.run(plans, loadBeganAtMs);
    let over = false;
    const trickling = pause(options.overMs, undefined, { signal }).then(() =>
      load.trickle(
        () => {
          const plan = planRequest(seed, people.size, Date.now() - loadBeganAtMs, markers.loginHint);
          people.set(plan.loginHint, plan.person);
          return plan;
        },
        trickleEveryMs,
        () => !over,
      ),
    );
    const plan = planFaults({ seed, faults: options.faults, wipes: options.wipes, overMs: options.overMs });
    await writeFile(join(folder, 'plan.json'), JSON.stringify({ faults: plan }, null, 1));
    // The last fault, too, has to be seen recovered from by work that flows.
    const breaking = faults
      .run(plan, loadBeganAtMs)
      .then(() => recovery.settled())
      .finally(() => (over = true));
    await Promise.race([Promise.all([playing, trickling, breaking]), aborted(signal)]);
    clearInterval(watch);
    await cluster.heal();
    const healedAtMs = Date.now();
    await jwks.collect();

    const quiescence = await untilQuiescent(cluster, subscriber, options.settleMs, (left) => {
      progress.decided = load.tally.decided;
      tell('coming to rest', JSON.stringify(left));
    });

    tell('dumping');
    await jwks.collect();
    await dumpDatabase(cluster.databaseUrl, folder);
    await writeRun(options, {
      cluster,
      configuration,
      markers,
      provider,
      subscriber,
      jwks,
      quiescence,
      startedAtMs,
      healedAtMs,
    });
    tell('stopping');
    await end(ends);
    for (const ledger of Object.values(ledgers)) ledger.close();
    await writeFile(join(folder, 'sometimes.json'), JSON.stringify(await countSometimes(folder), null, 1));
    const unexpected = [...load.tally.unexpected, ...cluster.replicas.flatMap(({ slot }) => slot.deaths)];
    return { quiescence, unexpected, recoveries: recovery.times, stalls: stalls.times };
  } catch (error) {
    // What the run ended by matters more than what then did not stop.
    await end(ends).catch((problem: unknown) => {
      throw new AggregateError([error, problem], 'The run failed, and so did stopping it');
    });
    throw error;
  }
}

/** Public keys of Assent, over all rotations. */
class KeyCollection {
  readonly #keys = new Map<string, unknown>();

  constructor(private readonly urls: readonly string[]) {}

  get keys(): unknown[] {
    return [...this.#keys.values()];
  }

  async collect(): Promise<void> {
    for (const url of this.urls) {
      const answer = await fetch(`${url}/.well-known/jwks.json`, { signal: AbortSignal.timeout(5_000) });
      const { keys } = (await answer.json()) as { keys: { kid: string }[] };
      for (const key of keys) this.#keys.set(key.kid, key);
    }
  }
}

async function writeRun(
  { seed, requests, faults, wipes, folder }: RunOptions,
  known: {
    readonly cluster: Cluster;
    readonly configuration: Configuration;
    readonly markers: ReturnType<typeof newMarkers>;
    readonly provider: LedgerProvider;
    readonly subscriber: AmqpLedger;
    readonly jwks: KeyCollection;
    readonly quiescence: Quiescence;
    readonly startedAtMs: number;
    readonly healedAtMs: number;
  },
): Promise<void> {
  const { cluster, configuration, markers, provider, subscriber, jwks, quiescence, startedAtMs, healedAtMs } = known;
  const { rules, apiClients, webhookEndpoints } = configuration;
  const document = {
    seed,
    requests,
    faultsPlanned: faults,
    wipes,
    startedAtMs,
    healedAtMs,
    quiescedAtMs: quiescence.at,
    unfinished: quiescence.left,
    deliveriesMovedForward: quiescence.movedForward,
    settings: {
      ...pollerLease,
      startAttemptLapsesMs: 45_000,
      deliveryLeaseMs: 60_000,
      callTimeoutMs: 35_000,
      issuer: provider.issuer,
      publicUrl: cluster.publicUrl,
    },
    jwks: jwks.keys,
    amqpBound: subscriber.bound,
    canaries: {
      ...markers,
      masterKey: cluster.masterKey,
      bootstrapApiKey: cluster.apiKey,
      ...Object.fromEntries(apiClients.map(({ name, key }) => [`apiKey of ${name}`, key])),
      ...Object.fromEntries(webhookEndpoints.map(({ id, secrets }) => [`secret of ${id}`, secrets[0]!])),
    },
    webhookEndpoints,
    rules: rules.map(
      ({ id, name, version, onInitiationUnknown, releaseAccessToken, deliveryMode, consumeWithinSeconds }) => ({
        id,
        name,
        version,
        onInitiationUnknown,
        releaseAccessToken,
        deliveryMode,
        consumeWithinSeconds,
      }),
    ),
    apiClients: apiClients.map(({ id, name, callbackSecret }) => ({ id, name, callbackSecret })),
  };
  await writeFile(join(folder, 'run.json'), JSON.stringify(document, null, 1));
}

async function end(ends: (() => Promise<unknown>)[]): Promise<void> {
  const problems: unknown[] = [];
  for (let stop = ends.pop(); stop; stop = ends.pop()) await stop().catch((error: unknown) => problems.push(error));
  if (problems.length > 0) throw new AggregateError(problems, 'Parts of the run did not stop');
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new Error('The run was stopped.'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
