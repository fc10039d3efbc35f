import { randomBytes, randomUUID } from 'node:crypto';
import { RulesServiceModule, type RulesServiceParts } from '#app/rules-service';
import type { AccessTokenConfig, Decision, PromptLimitConfig, Rule, Scope, TokenProvider } from '#lib/contracts';
import type { Command } from '#lib/domain';
import { createInProcessBus, OutboxRelay, type EventBus } from '#lib/messaging';
import { Database, generateMasterKey, isUnavailable } from '#lib/persistence';
import { createOutboundGuard, Secret, silentLog, startService, type RunningService } from '#lib/runtime';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import { AssentClient } from './assent-client.js';
import { approve } from './postgres-builders.js';
import { freshDatabase } from './postgres.js';

export interface RulesHouseOptions {
  readonly allowLoopback?: boolean;
  readonly trustedProxies?: string[];
  readonly notificationListener?: Partial<RulesServiceParts['config']>;
  /** Whose access tokens are taken. */
  readonly tokenIssuers?: AccessTokenConfig['ASSENT_TOKEN_ISSUERS'];
  /** What the console is told. */
  readonly console?: Partial<RulesServiceParts['config']>;
  /** Without: no limits. */
  readonly limits?: Partial<PromptLimitConfig>;
}

/** A real database, an in-process bus, and one rules service or several, reached over HTTP. */
export class RulesHouse {
  readonly #services: RunningService[] = [];

  private constructor(
    readonly parts: RulesServiceParts,
    readonly bus: EventBus,
    readonly apiKey: string,
    private readonly relay: OutboxRelay,
    private readonly sql: Client,
    private readonly drop: () => Promise<void>,
  ) {}

  /** Without limits on prompts, unless the test wants them: tests ask the same people again and again. */
  static async open(options: RulesHouseOptions = {}): Promise<RulesHouse> {
    const fresh = await freshDatabase();
    const database = await Database.open({ url: fresh.url, masterKeys: generateMasterKey(), source: '/assent/test' });
    await database.signingKeys.ensure();
    const sql = new Client({ connectionString: fresh.url });
    await sql.connect();
    const bus = createInProcessBus();
    const relay = new OutboxRelay({ outbox: database.outbox, publisher: bus });
    database.onEvents((events) => relay.offer(events));
    const allowLoopback = options.allowLoopback ?? true;
    const apiKey = `bootstrap_${randomBytes(24).toString('base64url')}`;
    const parts = {
      config: {
        ASSENT_API_KEY: new Secret(apiKey),
        ASSENT_ALLOW_LOOPBACK: allowLoopback,
        ASSENT_TRUSTED_PROXIES: options.trustedProxies ?? [],
        ASSENT_TOKEN_ISSUERS: options.tokenIssuers ?? [],
        ...options.notificationListener,
        ...options.console,
        ...(options.limits ?? noLimits),
      },
      database,
      bus,
      log: silentLog,
      guard: createOutboundGuard({ allowLoopback, allowedNetworks: [] }),
    };
    const house = new RulesHouse(parts, bus, apiKey, relay, sql, () => fresh.drop());
    await house.startService();
    return house;
  }

  /** Starts one more instance of the service, perhaps one that is told something else. */
  async startService(config: Partial<RulesServiceParts['config']> = {}): Promise<RunningService> {
    const parts = { ...this.parts, config: { ...this.parts.config, ...config } };
    const service = await startService({
      module: RulesServiceModule.register(parts),
      strategy: this.bus.consumer('rules-service'),
      port: 0,
      host: '127.0.0.1',
      log: silentLog,
      health: [],
      isUnavailable,
    });
    this.#services.push(service);
    return service;
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await this.relay.stop();
    await this.bus.close();
    await this.sql.end();
    await this.database.close();
    await this.drop();
  }

  get database(): Database {
    return this.parts.database;
  }

  /** The first instance. */
  get service(): RunningService {
    return this.#services[0]!;
  }

  get url(): string {
    return this.service.url!;
  }

  /** With every scope. */
  get admin(): AssentClient {
    return new AssentClient(this.url, this.apiKey);
  }

  /** A client of its own with these scopes. */
  async client(...scopes: Scope[]): Promise<AssentClient> {
    const { key } = await this.admin.create<{ id: string; key: string }>('api-clients', {
      name: `Client ${randomUUID()}`,
      scopes,
    });
    return new AssentClient(this.url, key);
  }

  /** Looks at the tables, or moves time by changing them. */
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.sql.query<Row>(text, [...values])).rows;
  }

  provider(over: object = {}): Promise<TokenProvider> {
    return this.admin.create('token-providers', {
      name: `Provider ${randomUUID()}`,
      issuer: 'https://op.example',
      ...over,
    });
  }

  async rule(over: object = {}): Promise<Rule> {
    return this.admin.create('rules', ruleBody((await this.provider()).id, over));
  }

  /** Submits a request as the administrator and answers its id. */
  async request(rule: { readonly id: string }, over: object = {}): Promise<string> {
    const body = { rule: rule.id, attributes: { email: 'alice@example.com' }, ...over };
    const answer = await this.admin.submit(body);
    if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
    return answer.body.id;
  }

  /** The provider has acknowledged the request. */
  async acknowledge(id: string): Promise<void> {
    const attemptId = uuid();
    const attempt = { requestId: id, attemptId, instanceId: 'test', callTimeoutMs: 10_000, cause: null };
    const opened = await this.database.requests.openAttempt(attempt);
    if (opened.kind !== 'opened') throw new Error(opened.kind);
    await this.apply(id, {
      type: 'acknowledge',
      attemptId,
      authReqId: randomUUID(),
      sentAt: opened.sentAt,
      expiresInSeconds: 120,
      intervalSeconds: 5,
    });
  }

  /** The person has approved; the decision is recorded unless `undecided`. */
  async approve(id: string, over: Parameters<typeof approve>[0] & { undecided?: boolean } = {}): Promise<void> {
    const { undecided = false, ...rest } = over;
    await this.acknowledge(id);
    await this.apply(id, approve(rest));
    if (!undecided) await this.decide(id);
  }

  /** The person has denied, and the decision is recorded. */
  async deny(id: string): Promise<void> {
    await this.acknowledge(id);
    await this.apply(id, { type: 'deny', providerError: null, polls: 1 });
    await this.decide(id);
  }

  /** Records the decision of a request that has ended, as the decision service would. */
  async decide(id: string): Promise<Decision> {
    const context = await this.database.decisions.context(id);
    if (context?.outcome == null) throw new Error(`The request ${id} has not ended.`);
    const decision: Decision = {
      id: uuid(),
      authorizationRequestId: id,
      outcome: context.outcome,
      reason: context.reason,
      providerError: context.providerError && { ...context.providerError },
      rule: { ...context.rule },
      decidedAt: new Date().toISOString(),
      rejection: null,
      evidence: context.evidence && { ...context.evidence, amr: context.evidence.amr && [...context.evidence.amr] },
      receipt: null,
      requestHash: context.requestHash,
      metadata: { ...context.metadata },
    };
    await this.database.decisions.record({ decision, cause: null });
    return decision;
  }

  private async apply(id: string, command: Command): Promise<void> {
    const result = await this.database.requests.change(id, command);
    if (result.kind !== 'applied') throw new Error(`${command.type}: ${result.kind}`);
  }
}

const noLimits: PromptLimitConfig = {
  ASSENT_PROMPTS_OUTSTANDING: 0,
  ASSENT_PROMPTS_PER_5_MINUTES: 0,
  ASSENT_PROMPTS_PER_HOUR: 0,
  ASSENT_PROMPT_COOL_DOWN_SECONDS: 0,
  ASSENT_REQUESTS_PER_MINUTE_PER_CLIENT: 0,
  ASSENT_REQUESTS_PER_MINUTE_PER_RULE: 0,
};

/** A rule as an administrator writes it. */
export const ruleBody = (tokenProviderId: string, over: object = {}) => ({
  name: `Rule ${randomUUID()}`,
  type: 'one-time-authorization',
  tokenProviderId,
  clientId: 'assent',
  clientCredentials: { type: 'secret', clientSecret: 'canary-client-secret' },
  loginHintAttribute: 'email',
  ...over,
});
