import { randomBytes, randomUUID } from 'node:crypto';
import type { RuleRow } from '#lib/persistence';
import { v7 as newId } from 'uuid';
import { RecordDecision } from '../../apps/decision-service/src/record-decision.js';
import { AssentClient, type Answer } from '../support/assent-client.js';
import { approve, aRule } from '../support/postgres-builders.js';
import { freeConsecutivePorts } from '../support/rabbitmq-ports.js';
import { Arrivals } from './arrivals.js';
import { openHouse, type House } from './house.js';
import type { Side } from './postgres-barrier.js';

/** A call that changes something. */
export type ApiCall = 'submit' | 'cancel' | 'consume with a key' | 'consume';

/** What the caller is told who repeats a call that was not answered, and what there is of it in the end. */
export interface Repeated {
  readonly status: number;
  readonly code: string | null;
  /** Whether the answer says that it repeats an earlier one. */
  readonly replayed: boolean;
  /** Whoever comes after that with another key, or none. */
  readonly next: number;
  /** Requests of this caller's kind, events of what was done, uses of the approval. */
  readonly requests: number;
  readonly events: number;
  readonly uses: number;
}

/** Calls that keep out of each other's way: one kill serves them all. */
export const callsTogether: readonly (readonly ApiCall[])[] = [['submit', 'cancel', 'consume with a key'], ['consume']];

interface Made {
  readonly call: ApiCall;
  /** A person of its own, by whom its requests are told apart. */
  readonly person: string;
  /** Null: there is none before the call. */
  readonly requestId: string | null;
  readonly key: string;
}

/** One rules service after the other on one database: each is killed at the commit of what its callers want. */
export class ApiHouse {
  private constructor(
    private readonly house: House,
    private readonly rule: RuleRow,
    private readonly assent: AssentClient,
  ) {}

  static async open(): Promise<ApiHouse> {
    const apiKey = `assent_test_${randomBytes(24).toString('base64url')}`;
    const house = await openHouse({
      service: 'rules-service',
      port: await freeConsecutivePorts(1),
      env: { ASSENT_API_KEY: apiKey, ASSENT_PUBLIC_URL: 'https://assent.example' },
    });
    await house.database.signingKeys.ensure();
    const rule = await aRule(house.database, { tokenProviderId: house.tokenProviderId, scopes: [] });
    const opened = new ApiHouse(house, rule, new AssentClient(house.service.url, apiKey));
    await opened.#start();
    return opened;
  }

  close(): Promise<void> {
    return this.house.close();
  }

  /** Kills the service before or after the commits of these calls, and has their callers repeat them. */
  async kill(side: Side, calls: readonly ApiCall[]): Promise<Map<ApiCall, Repeated>> {
    const { house } = this;
    const all: Made[] = [];
    for (const call of calls) all.push(await this.#make(call));
    const arrivals = new Arrivals(all.map(({ key }) => key));
    for (const { requestId, key } of all) {
      const statement = requestId === null ? 'assent_insert_requests' : 'assent_apply_transitions';
      const arrive = { add: () => arrivals.add(key) };
      house.barrier.stop({ statement, about: [requestId ?? key], side, then: 'wait', arrivals: arrive });
    }
    const answers = all.map((made) =>
      this.#call(made).then(
        ({ status }) => status,
        () => null,
      ),
    );
    await arrivals.complete(() => `The commits were not reached:\n${house.output()}`);
    await house.kill();
    const early = (await Promise.all(answers)).filter((status) => status !== null);
    if (early.length > 0) throw new Error(`Answered before it was known: ${early.join(', ')}`);
    await this.#start();
    const repeated = new Map<ApiCall, Repeated>();
    for (const made of all) repeated.set(made.call, await this.#repeat(made));
    return repeated;
  }

  async #start(): Promise<void> {
    this.house.service.launch();
    // Without a broker it serves, and says that events wait.
    await this.house.service.until(({ status }) => status !== 'not-ready');
  }

  async #make(call: ApiCall): Promise<Made> {
    const made = { call, person: `${randomUUID()}@example.com`, key: randomUUID() };
    if (call === 'submit') return { ...made, requestId: null };
    const { body } = await this.assent.submit(this.#body(made.person));
    if (call !== 'cancel') await this.#approved(body.id);
    return { ...made, requestId: body.id };
  }

  #body(email: string) {
    return { rule: this.rule.id, attributes: { email }, metadata: { email } };
  }

  #call({ call, requestId, person, key }: Made, keyed = true): Promise<Answer<{ code?: string }>> {
    const headers: Record<string, string> = keyed && call !== 'consume' ? { 'idempotency-key': key } : {};
    const path = '/v1/authorization-requests';
    switch (call) {
      case 'submit':
        return this.assent.call('POST', path, this.#body(person), headers);
      case 'cancel':
        return this.assent.call('POST', `${path}/${requestId}/cancel`);
      case 'consume':
      case 'consume with a key':
        return this.assent.call('POST', `${path}/${requestId}/consume`, undefined, headers);
    }
  }

  async #repeat(made: Made): Promise<Repeated> {
    const answer = await this.#call(made);
    const again = made.call === 'submit' ? await this.#call(made) : await this.#call(made, false);
    const { rows } = await this.house.look.query<Pick<Repeated, 'requests' | 'events' | 'uses'>>(
      `select count(*)::integer as requests,
        coalesce(sum((select count(*) from outbox o
          where o.event->>'subject' = r.id::text and o.event->'data'->>'status' = r.status)), 0)::integer as events,
        coalesce(sum((select count(*) from request_timeline t where t.request_id = r.id and t.type = 'consumed')), 0)::integer
          as uses
       from authorization_requests r where r.metadata->>'email' = $1`,
      [made.person],
    );
    return {
      status: answer.status,
      code: answer.status < 400 ? null : (answer.body.code ?? null),
      replayed: answer.headers.get('idempotent-replayed') === 'true',
      next: again.status,
      ...rows[0]!,
    };
  }

  /** As it is when the decision is there. */
  async #approved(requestId: string): Promise<void> {
    const { database } = this.house;
    const attemptId = newId();
    const attempt = { requestId, attemptId, instanceId: 'test', callTimeoutMs: 10_000, cause: null };
    const opened = await database.requests.openAttempt(attempt);
    if (opened.kind !== 'opened') throw new Error(opened.kind);
    await database.requests.change(requestId, {
      type: 'acknowledge',
      attemptId,
      authReqId: randomUUID(),
      sentAt: opened.sentAt,
      expiresInSeconds: 120,
      intervalSeconds: 5,
    });
    const ended = await database.requests.change(requestId, approve());
    if (ended.kind !== 'applied') throw new Error(ended.kind);
    const record = new RecordDecision({ database, issuer: 'https://assent.example', onRecorded: () => undefined });
    await record.run(requestId, null);
  }
}
