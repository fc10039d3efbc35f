import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { CibaWorkerModule } from '#app/ciba-worker';
import { PollerModule } from '#app/poller';
import type { ProviderProfileName } from '#lib/ciba';
import { authorizationEvents, type AuthorizationFact } from '#lib/contracts';
import { noPromptLimits, ruleDefaults, type RuleDefinition } from '#lib/domain';
import { createInProcessBus, OutboxRelay, type EventBus } from '#lib/messaging';
import {
  Database,
  generateMasterKey,
  isUnavailable,
  type NewRequest,
  type RequestView,
  type StoredEvent,
} from '#lib/persistence';
import { createOutboundGuard, silentLog, startService, type Log, type RunningService } from '#lib/runtime';
import { v7 as newId } from 'uuid';
import { freshDatabase } from './postgres.js';
import { startScriptedProvider, type ScriptedProvider, type ScriptedProviderOptions } from './scripted-provider.js';
import { clientDefaults } from './postgres-builders.js';

/** A rule and the provider behind it. */
export interface HouseRule {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly tokenProviderId: string;
  readonly provider: ScriptedProvider;
}

/** A service of the house, with a database connection of its own. */
export interface HouseService {
  readonly instanceId: string;
  /** Ends as it should. */
  stop(): Promise<void>;
  /** Loses the database from one moment to the next, and keeps its network: what it learns it can tell nobody. */
  die(): Promise<void>;
}

/** Short leases, so that a take-over is a matter of a second or two. */
export const shortLeases = {
  POLLER_LEASE_SECONDS: 1.5,
  POLLER_RENEW_SECONDS: 0.2,
  POLLER_LEASE_MARGIN_SECONDS: 0.4,
  POLLER_SWEEP_SECONDS: 0.5,
  POLLER_HAND_OVER_SECONDS: 1,
} as const;

const credentials = { clientId: 'client-1', clientSecret: 'client secret' };
const endings: readonly string[] = [
  authorizationEvents.approved,
  authorizationEvents.denied,
  authorizationEvents.expired,
  authorizationEvents.cancelled,
  authorizationEvents.failed,
];

/** A real database, an in-process bus, scripted providers, and workers and pollers as a test wants them. */
export class PollingHouse {
  readonly #services: HouseService[] = [];
  readonly #providers: ScriptedProvider[] = [];
  readonly #facts: AuthorizationFact[] = [];
  /** Every event that was committed. */
  readonly told: object[] = [];
  /** Every line that a service logged. */
  readonly logged: object[] = [];
  readonly #log: Log = {
    debug: (message, detail) => void this.logged.push({ message, detail }),
    info: (message, detail) => void this.logged.push({ message, detail }),
    warn: (message, detail) => void this.logged.push({ message, detail }),
    error: (message, detail) => void this.logged.push({ message, detail }),
    child: () => this.#log,
  };
  readonly #waiting = new Set<() => void>();
  #apiClientId = '';
  #lastQuery: Promise<unknown> = Promise.resolve();

  private constructor(
    /** For arranging and looking; no service uses it. */
    readonly database: Database,
    readonly bus: EventBus,
    private readonly fresh: Awaited<ReturnType<typeof freshDatabase>>,
    private readonly masterKeys: string,
    private readonly sql: Client,
  ) {}

  static async open(): Promise<PollingHouse> {
    const fresh = await freshDatabase();
    const masterKeys = generateMasterKey();
    const database = await Database.open({ url: fresh.url, masterKeys, source: '/assent/test' });
    const sql = new Client({ connectionString: fresh.url });
    await sql.connect();
    const house = new PollingHouse(database, createInProcessBus(), fresh, masterKeys, sql);
    house.#hear(database);
    house.#apiClientId = created(
      await database.apiClients.create({
        name: 'test',
        scopes: ['requests:write'],
        ...clientDefaults,
        keyHash: randomBytes(32),
        keyPrefix: 'assent_',
        callbackSecret: null,
      }),
    ).id;
    return house;
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await Promise.all(this.#providers.map((provider) => provider.stop()));
    await this.bus.close();
    await this.sql.end();
    await this.database.close();
    await this.fresh.drop();
  }

  /** A provider that answers as the test says, and a rule that uses it. */
  async addRule(
    options: ScriptedProviderOptions & { readonly profile?: ProviderProfileName } = {},
    over: Partial<RuleDefinition> = {},
  ): Promise<HouseRule> {
    const provider = await startScriptedProvider({ intervalSeconds: 1, ...options });
    this.#providers.push(provider);
    const name = randomBytes(6).toString('hex');
    const tokenProviderId = created(
      await this.database.tokenProviders.create({
        name,
        issuer: provider.issuer,
        profile: options.profile ?? 'generic',
        metadata: null,
        trustedCertificates: [],
      }),
    ).id;
    const definition: RuleDefinition = {
      name,
      ...ruleDefaults,
      tokenProviderId,
      clientId: credentials.clientId,
      clientCredentials: { type: 'secret', method: null },
      loginHintAttribute: 'email',
      ...over,
    };
    const rule = created(await this.database.rules.create({ definition, clientSecret: credentials.clientSecret }));
    return { id: rule.id, name, version: rule.version, tokenProviderId, provider };
  }

  startWorker(config: Readonly<Record<string, number>> = {}): Promise<HouseService> {
    return this.#start('ciba-worker', (parts) =>
      CibaWorkerModule.register({ ...parts, config: { ...parts.config, ...config } }),
    );
  }

  startPoller(config: Readonly<Record<string, number>> = {}): Promise<HouseService> {
    return this.#start('poller', (parts) =>
      PollerModule.register({ ...parts, config: { ...parts.config, ...shortLeases, ...config } }),
    );
  }

  /** Submits a request; answers its id. */
  async submit(rule: HouseRule, more: Partial<NewRequest> = {}): Promise<string> {
    const id = more.id ?? newId();
    await this.database.requests.submit({
      id,
      apiClientId: this.#apiClientId,
      idempotencyKey: null,
      bodyHash: randomBytes(32),
      rule: { id: rule.id, name: rule.name, version: rule.version },
      tokenProviderId: rule.tokenProviderId,
      attributes: { email: 'alice@example.com' },
      loginHint: 'alice@example.com',
      person: 'alice@example.com',
      limits: noPromptLimits,
      joinText: null,
      bindingMessage: 'Pay 10.00 EUR',
      userCode: null,
      metadata: {},
      callbackUrl: null,
      requestHash: `hash of ${id}`,
      traceparent: null,
      ...more,
    });
    return id;
  }

  /** Submits a request and waits until its provider has acknowledged it; a worker must be running. */
  async begin(
    rule: HouseRule,
    more: Partial<NewRequest> = {},
  ): Promise<{ readonly id: string; readonly authReqId: string }> {
    const id = await this.submit(rule, more);
    const fact = await this.fact(id, [authorizationEvents.initiated, ...endings]);
    if (fact.status !== 'pending') throw new Error(`the request is ${fact.status}, ${fact.reason}`);
    // One after the other: the newest acknowledged request is this one.
    return { id, authReqId: rule.provider.requests.at(-1)!.authReqId };
  }

  /** Waits until a request has ended; answers it. */
  async ended(id: string): Promise<RequestView> {
    await this.fact(id, endings);
    return (await this.database.requests.view(id, null))!;
  }

  /** The first fact about a request, past or to come, under one of these routing keys. */
  async fact(id: string, keys: readonly string[]): Promise<AuthorizationFact> {
    for (;;) {
      const found = this.#facts.find(
        (fact) => fact.authorizationRequestId === id && keys.includes(keyOfStatus(fact.status)),
      );
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Looks at the tables, or changes them; queries that are asked side by side take turns. */
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const before = this.#lastQuery;
    const answer = before.then(() => this.sql.query<Row>(text, [...values]));
    this.#lastQuery = answer.catch(() => undefined);
    return (await answer).rows;
  }

  /** Where every row of every table is, and which transaction put it there: any committed write changes it. */
  async written(except: readonly string[]): Promise<string> {
    const tables = await this.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = 'public' and tablename <> all($1) order by 1`,
      [except],
    );
    const rows = tables.map(({ name }) => `select '${name}' || ctid || xmin as row from ${name}`);
    const [digest] = await this.query<{ digest: string }>(
      `select md5(coalesce(string_agg(row, ' ' order by row), '')) as digest from (${rows.join(' union all ')}) as everything`,
    );
    return digest!.digest;
  }

  async #start(
    name: 'ciba-worker' | 'poller',
    moduleOf: (parts: {
      config: { ASSENT_ALLOW_LOOPBACK: boolean };
      database: Database;
      log: Log;
      guard: ReturnType<typeof createOutboundGuard>;
      instanceId: string;
    }) => Parameters<typeof startService>[0]['module'],
  ): Promise<HouseService> {
    const instanceId = `${name}-${randomUUID()}`;
    const database = await Database.open({
      url: this.fresh.url,
      masterKeys: this.masterKeys,
      source: `/assent/${name}`,
      poolSize: 4,
    });
    this.#hear(database);
    const relay = new OutboxRelay({ outbox: database.outbox, publisher: this.bus });
    database.onEvents((events) => relay.offer(events));
    const guard = createOutboundGuard({ allowLoopback: true, allowedNetworks: [] });
    const config = { ASSENT_ALLOW_LOOPBACK: true };
    const service: RunningService = await startService({
      module: moduleOf({ config, database, log: this.#log, guard, instanceId }),
      strategy: this.bus.consumer(name),
      port: null,
      log: silentLog,
      health: [],
      isUnavailable,
    });
    relay.start();
    const close = once(() => database.close());
    const running: HouseService = {
      instanceId,
      stop: once(async () => {
        await service.stop();
        await relay.stop();
        await close();
      }),
      die: close,
    };
    this.#services.push(running);
    return running;
  }

  /** What is committed is known at once, without a broker in between. */
  #hear(database: Database): void {
    database.onEvents((events: readonly StoredEvent[]) => {
      for (const { outgoing } of events) {
        this.told.push(outgoing);
        if (outgoing.exchange === 'assent.authorizations') this.#facts.push(outgoing.event.data as AuthorizationFact);
      }
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      waiting.forEach((resolve) => resolve());
    });
    // What the test itself submits is brought to the services as well.
    if (database === this.database) this.#relayOwn();
  }

  #relayOwn(): void {
    const relay = new OutboxRelay({ outbox: this.database.outbox, publisher: this.bus });
    this.database.onEvents((events) => relay.offer(events));
    this.#services.push({ instanceId: 'test', stop: () => relay.stop(), die: () => relay.stop() });
  }
}

const keyOfStatus = (status: AuthorizationFact['status']): string =>
  status === 'pending' ? authorizationEvents.initiated : `authorization.${status}`;

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= action());
}

function created<Row>(result: { readonly kind: string; readonly row?: Row }): Row {
  if (result.kind !== 'created' || !result.row) throw new Error(`not created: ${result.kind}`);
  return result.row;
}
