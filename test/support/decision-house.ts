import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { DecisionServiceModule } from '#app/decision-service';
import type { Decision } from '#lib/contracts';
import {
  noPromptLimits,
  ruleDefaults,
  type Command,
  type Evidence,
  type RejectionHandlerDefinition,
  type RuleDefinition,
} from '#lib/domain';
import { createInProcessBus, OutboxRelay, type EventBus } from '#lib/messaging';
import { Database, generateMasterKey, isUnavailable, type DeliveryResult } from '#lib/persistence';
import { createOutboundGuard, silentLog, startService, type RunningService } from '#lib/runtime';
import { v7 as newId } from 'uuid';
import { freshDatabase } from './postgres.js';
import { clientDefaults } from './postgres-builders.js';

export const publicUrl = 'https://assent.example';

/** How a test ends a request. */
export type Ending = 'approve' | 'deny' | 'expire' | 'fail' | 'cancel';

/** A rule as a test needs it. */
export interface TestRule {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly definition: RuleDefinition;
}

/** A real database and an in-process bus, and a decision service between them when it is wanted. */
export class DecisionHouse {
  readonly #decided = new Map<string, (decision: Decision) => void>();
  readonly #settled: Array<{ requestId: string; resolve: (result: DeliveryResult) => void }> = [];
  readonly #relay: OutboxRelay;
  #service: RunningService | null = null;
  apiClientId = '';
  tokenProviderId = '';

  private constructor(
    readonly database: Database,
    readonly bus: EventBus,
    private readonly sql: Client,
    private readonly drop: () => Promise<void>,
    events: 'carried' | 'lost',
  ) {
    this.#relay = new OutboxRelay({ outbox: database.outbox, publisher: bus });
    database.onEvents((stored) => {
      if (events === 'carried') this.#relay.offer(stored);
      for (const { outgoing } of stored) this.#decided.get(outgoing.event.subject)?.(outgoing.event.data as Decision);
    });
    this.#watchResults();
  }

  /** `events: 'lost'`: nothing that is committed reaches the bus. */
  static async open(options: { readonly events?: 'carried' | 'lost' } = {}): Promise<DecisionHouse> {
    const fresh = await freshDatabase();
    const database = await Database.open({
      url: fresh.url,
      masterKeys: generateMasterKey(),
      source: '/assent/test',
    });
    await database.signingKeys.ensure();
    const sql = new Client({ connectionString: fresh.url });
    await sql.connect();
    const bus = createInProcessBus();
    const house = new DecisionHouse(database, bus, sql, () => fresh.drop(), options.events ?? 'carried');
    await house.#furnish();
    return house;
  }

  /** Starts the decision service; by default it may call this machine. */
  async startService(options: { readonly allowLoopback?: boolean } = {}): Promise<RunningService> {
    const guard = createOutboundGuard({ allowLoopback: options.allowLoopback ?? true, allowedNetworks: [] });
    this.#service = await startService({
      module: DecisionServiceModule.register({
        config: { ASSENT_PUBLIC_URL: publicUrl },
        database: this.database,
        log: silentLog,
        guard,
      }),
      strategy: this.bus.consumer('decision-service'),
      port: null,
      log: silentLog,
      health: [],
      isUnavailable,
    });
    return this.#service;
  }

  async stopService(): Promise<void> {
    await this.#service?.stop();
    this.#service = null;
  }

  async close(): Promise<void> {
    await this.stopService();
    await this.#relay.stop();
    await this.bus.close();
    await this.sql.end();
    await this.database.close();
    await this.drop();
  }

  /** Looks at the tables, or moves time by changing them. */
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.sql.query<Row>(text, [...values])).rows;
  }

  async addHandler(name: string, definition: RejectionHandlerDefinition): Promise<string> {
    return created(await this.database.rejectionHandlers.create({ name, definition })).id;
  }

  async addRule(over: Partial<RuleDefinition> = {}): Promise<TestRule> {
    const definition: RuleDefinition = {
      name: `Rule ${randomBytes(4).toString('hex')}`,
      ...ruleDefaults,
      tokenProviderId: this.tokenProviderId,
      clientId: 'assent',
      clientCredentials: { type: 'secret', method: null },
      loginHintAttribute: 'email',
      ...over,
    };
    const row = created(await this.database.rules.create({ definition, clientSecret: 'client secret' }));
    return { id: row.id, name: definition.name, version: row.version, definition };
  }

  /** An endpoint that subscribes to every decision; answers its id and secret. */
  async addEndpoint(url: string): Promise<{ readonly id: string; readonly secret: string }> {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const row = created(
      await this.database.webhookEndpoints.create({
        url,
        events: ['decision.approved', 'decision.denied', 'decision.expired', 'decision.cancelled', 'decision.failed'],
        description: null,
        enabled: true,
        secret,
      }),
    );
    return { id: row.id, secret };
  }

  /** A client whose callbacks are signed with a secret as well. */
  async addApiClient(callbackSecret: string | null): Promise<string> {
    return created(
      await this.database.apiClients.create({
        name: randomBytes(8).toString('hex'),
        scopes: ['requests:write'],
        ...clientDefaults,
        keyHash: randomBytes(32),
        keyPrefix: 'assent_',
        callbackSecret,
      }),
    ).id;
  }

  /** Submits a request; it is `requested`. */
  async submit(
    rule: TestRule,
    more: { readonly callbackUrl?: string; readonly apiClientId?: string; readonly bindingMessage?: string } = {},
  ): Promise<string> {
    const id = newId();
    await this.database.requests.submit({
      id,
      apiClientId: more.apiClientId ?? this.apiClientId,
      idempotencyKey: null,
      bodyHash: randomBytes(32),
      rule: { id: rule.id, name: rule.name, version: rule.version },
      tokenProviderId: this.tokenProviderId,
      attributes: { email: 'alice@example.com' },
      loginHint: 'alice@example.com',
      person: 'alice@example.com',
      limits: noPromptLimits,
      joinText: null,
      bindingMessage: more.bindingMessage ?? 'Pay 10.00 EUR',
      userCode: null,
      metadata: { order: '4711' },
      callbackUrl: more.callbackUrl ?? null,
      requestHash: `hash of ${id}`,
      traceparent: null,
    });
    return id;
  }

  /** Ends a request as the worker, the poller or the caller would. */
  async end(requestId: string, ending: Ending): Promise<void> {
    if (ending === 'approve' || ending === 'deny') await this.#acknowledge(requestId);
    await this.#change(requestId, endings[ending](requestId));
  }

  /** Submits and ends a request, and waits for its decision; answers it. */
  async decide(rule: TestRule, ending: Ending, more: Parameters<DecisionHouse['submit']>[1] = {}): Promise<Decision> {
    const id = await this.submit(rule, more);
    const decision = this.decided(id);
    await this.end(id, ending);
    return decision;
  }

  /** The decision of a request, as soon as it is committed; ask before it can be. */
  decided(requestId: string): Promise<Decision> {
    return new Promise((resolve) =>
      this.#decided.set(requestId, (data) => 'outcome' in data && 'decidedAt' in data && resolve(data)),
    );
  }

  /** The result of the next attempt that is committed for a delivery of this request; ask before it can be. */
  settled(requestId: string): Promise<DeliveryResult> {
    return new Promise((resolve) => this.#settled.push({ requestId, resolve }));
  }

  async #furnish(): Promise<void> {
    this.tokenProviderId = created(
      await this.database.tokenProviders.create({
        name: 'Provider',
        issuer: 'https://op.example',
        profile: 'generic',
        metadata: null,
        trustedCertificates: [],
      }),
    ).id;
    this.apiClientId = await this.addApiClient(null);
  }

  async #acknowledge(requestId: string): Promise<void> {
    const attemptId = newId();
    const attempt = await this.database.requests.openAttempt({
      requestId,
      attemptId,
      instanceId: 'test',
      callTimeoutMs: 1000,
      cause: null,
    });
    if (attempt.kind !== 'opened') throw new Error(`the attempt is ${attempt.kind}`);
    await this.#change(requestId, {
      type: 'acknowledge',
      attemptId,
      authReqId: `auth-req-${requestId}`,
      sentAt: attempt.sentAt,
      expiresInSeconds: 120,
      intervalSeconds: 5,
    });
  }

  async #change(requestId: string, command: Command): Promise<void> {
    const result = await this.database.requests.change(requestId, command);
    if (result.kind !== 'applied') throw new Error(`${command.type}: ${result.kind}`);
  }

  // The real store does the work; this only tells the test when it is done.
  #watchResults(): void {
    const { decisions, deliveries } = this.database;
    const record = decisions.recordAndLease.bind(decisions);
    const [claim, finish] = [deliveries.claim.bind(deliveries), deliveries.finish.bind(deliveries)];
    const requestOf = new Map<string, string>();
    Object.assign(decisions, {
      recordAndLease: async (input: Parameters<typeof record>[0]) => {
        const result = await record(input);
        if (result.callback) requestOf.set(result.callback.id, input.decision.authorizationRequestId);
        return result;
      },
    });
    Object.assign(deliveries, {
      claim: async (options: Parameters<typeof claim>[0]) => {
        const work = await claim(options);
        for (const each of work) requestOf.set(each.id, each.requestId ?? each.webhookId);
        return work;
      },
      finish: async (results: readonly DeliveryResult[], disableAfterSeconds?: number) => {
        const disabled = await finish(results, disableAfterSeconds);
        for (const result of results) this.#tell(requestOf.get(result.id), result);
        return disabled;
      },
    });
  }

  #tell(requestId: string | undefined, result: DeliveryResult): void {
    const at = this.#settled.findIndex((waiter) => waiter.requestId === requestId);
    if (at >= 0) this.#settled.splice(at, 1)[0]!.resolve(result);
  }
}

const evidenceFor = (requestId: string): Evidence => ({
  issuer: 'https://op.example',
  subject: 'alice',
  acr: 'gold',
  amr: ['hwk'],
  authTime: null,
  idTokenSha256: `id token of ${requestId}`,
});

const endings: Readonly<Record<Ending, (requestId: string) => Command>> = {
  approve: (requestId) => ({
    type: 'approve',
    evidence: evidenceFor(requestId),
    grantedScope: 'openid',
    consumeWithinSeconds: 300,
    releasedToken: null,
    held: false,
    polls: 1,
  }),
  deny: () => ({ type: 'deny', providerError: null, polls: 1 }),
  expire: () => ({ type: 'give-up-start' }),
  fail: () => ({
    type: 'fail-start',
    attemptId: null,
    reason: 'unknown_user',
    providerError: { code: 'unknown_user_id', description: null },
  }),
  cancel: () => ({ type: 'cancel', by: 'client' }),
};

function created<Row>(result: { readonly kind: string; readonly row?: Row }): Row {
  if (result.kind !== 'created' || !result.row) throw new Error(`not created: ${result.kind}`);
  return result.row;
}
