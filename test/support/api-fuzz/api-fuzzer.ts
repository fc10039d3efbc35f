import { DecisionServiceModule } from '#app/decision-service';
import { isUnavailable } from '#lib/persistence';
import { createOutboundGuard, silentLog, startService, type RunningService } from '#lib/runtime';
import { Pool } from 'undici';
import { Chance } from '../answer-mutations.js';
import { RulesHouse } from '../rules-house.js';
import { AnswerJudge, type FuzzReply } from './answer-judge.js';
import type { ApiDescription } from './api-description.js';
import { FuzzCalls, type CallKind, type FuzzCall } from './fuzz-calls.js';

/** What a run of the fuzzer met. */
export interface ApiFuzzReport {
  readonly runs: number;
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>;
  /** How many calls there were of each kind. */
  readonly kinds: Readonly<Partial<Record<CallKind, number>>>;
  /** Operations that were answered 2xx at least once. */
  readonly succeeded: readonly string[];
}

export interface ApiFuzzOptions {
  /** A call that takes longer hangs, in ms. */
  readonly hangsAfterMs: number;
}

const lanes = 12;
/** One of a kind tells as much as a hundred. */
const kindsToldAtMost = 20;

/**
 * Calls the real API, on a real database, with inputs made from the description that it serves. Never a 5xx, never an
 * answer that the description does not promise, never a hang, never a word about the inside.
 */
export class ApiFuzzer {
  private readonly statuses: Record<string, number> = {};
  private readonly kinds: Partial<Record<CallKind, number>> = {};
  private readonly succeeded = new Set<string>();
  private readonly complaints = new Map<string, string>();
  private readonly pool: Pool;

  private constructor(
    private readonly house: RulesHouse,
    private readonly decisions: RunningService,
    private readonly calls: FuzzCalls,
    private readonly judge: AnswerJudge,
    private readonly options: ApiFuzzOptions,
  ) {
    this.pool = new Pool(house.url, { connections: lanes });
  }

  static async open(options: ApiFuzzOptions): Promise<ApiFuzzer> {
    const house = await RulesHouse.open({ allowLoopback: false });
    // What was cancelled needs its decision; no delivery leaves this machine.
    const nowhere = createOutboundGuard({
      allowLoopback: false,
      allowedNetworks: [],
      lookup: (_host, _options, callback) => callback(Object.assign(new Error('nowhere'), { code: 'ENOTFOUND' }), []),
    });
    const decisions = await startService({
      module: DecisionServiceModule.register({
        config: { ASSENT_PUBLIC_URL: 'https://assent.example' },
        database: house.database,
        log: silentLog,
        guard: nowhere,
      }),
      strategy: house.bus.consumer('decision-service'),
      port: null,
      log: silentLog,
      health: [],
      isUnavailable,
    });
    const description = (await house.admin.call<ApiDescription>('GET', '/openapi.json')).body;
    const application = (await house.client('requests:write', 'requests:read')).apiKey;
    const calls = new FuzzCalls(description, { administrator: house.apiKey, application });
    await furnish(house, calls);
    const judge = new AnswerJudge(description, [house.apiKey, application, 'canary-client-secret']);
    return new ApiFuzzer(house, decisions, calls, judge, options);
  }

  async close(): Promise<void> {
    await this.pool.destroy();
    await this.decisions.stop();
    await this.house.close();
  }

  /**
   * Makes the calls `from`, `from + 1`, … of a seed.
   *
   * @throws Error that names, of each kind of complaint, the call as it went out, the answer, and how to make it again
   */
  async run(seed: number, runs: number, from = 0): Promise<ApiFuzzReport> {
    let next = from;
    const lane = async () => {
      while (next < from + runs && this.complaints.size < kindsToldAtMost) {
        const number = next++;
        await this.once(number, new Chance(Math.imul(seed, 1_000_003) + number), seed);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    if (this.complaints.size > 0) throw new Error([...this.complaints.values()].join('\n\n'));
    return { runs, statuses: this.statuses, kinds: this.kinds, succeeded: [...this.succeeded].sort() };
  }

  private async once(number: number, chance: Chance, seed: number): Promise<void> {
    const call = this.calls.next(chance);
    const reply = await this.send(call).catch((error: Error) => error);
    const complaint = reply instanceof Error ? `no answer: ${reply.message}` : this.judge.complaint(call, reply);
    if (reply instanceof Error || complaint !== null) return this.complain(number, seed, call, reply, complaint!);
    this.statuses[reply.status] = (this.statuses[reply.status] ?? 0) + 1;
    this.kinds[call.kind] = (this.kinds[call.kind] ?? 0) + 1;
    const { operationId } = call.route.operation;
    if (reply.status < 300) this.succeeded.add(operationId);
    if (reply.status !== 201 && reply.status !== 202) return;
    const { id } = JSON.parse(reply.text) as { id?: string };
    if (id !== undefined)
      this.calls.remember(operationId === 'testWebhookEndpoint' ? 'deliveries' : call.route.path, id);
  }

  private complain(number: number, seed: number, call: FuzzCall, reply: FuzzReply | Error, complaint: string): void {
    const { route, path, headers, body } = call;
    const { operationId } = route.operation;
    const status = reply instanceof Error ? 'none' : reply.status;
    const kind = `${operationId} ${status} ${complaint.slice(0, 40)}`;
    if (this.complaints.has(kind)) return;
    this.complaints.set(
      kind,
      [
        `${operationId}: ${complaint}`,
        `Sent: ${route.method} ${path}\n${JSON.stringify({ ...headers, authorization: '…' })}\n${body?.slice(0, 4_000) ?? ''}`,
        `Answered: ${JSON.stringify(reply).slice(0, 1_500)}`,
        `Replay: npm run fuzz -- --only api --seed ${seed} --from ${number} --runs 1`,
      ].join('\n'),
    );
  }

  private async send({ route, path, headers, body }: FuzzCall): Promise<FuzzReply> {
    const answer = await this.pool.request({
      method: route.method,
      path,
      headers,
      body,
      signal: AbortSignal.timeout(this.options.hangsAfterMs),
    });
    const type = String(answer.headers['content-type'] ?? '');
    return { status: answer.statusCode, type, headers: answer.headers, text: await answer.body.text() };
  }
}

/** Something of everything, in every state that is reached without a provider. */
async function furnish(house: RulesHouse, calls: FuzzCalls): Promise<void> {
  calls.remember('/v1/token-providers', (await house.provider()).id);
  const rules = await Promise.all(Array.from({ length: 4 }, () => house.rule()));
  for (const { id } of rules) calls.remember('/v1/rules', id);
  const made: [collection: string, body: object][] = [
    [
      'rejection-handlers',
      { name: 'H', type: 'error-template', status: 403, contentType: 'text/html', template: '{{title}}' },
    ],
    ['webhook-endpoints', { url: 'https://hooks.example/in' }],
    ['api-clients', { name: 'Client', scopes: ['requests:read'] }],
    ['key-pairs', { alias: 'Made', generate: { subject: 'CN=fuzz' } }],
  ];
  for (const [collection, body] of made) {
    calls.remember(`/v1/${collection}`, (await house.admin.create<{ id: string }>(collection, body)).id);
  }
  const requests = await Promise.all(Array.from({ length: 6 }, () => house.request(rules[0]!)));
  await house.acknowledge(requests[0]!);
  await house.approve(requests[1]!);
  await house.approve(requests[2]!);
  await house.deny(requests[3]!);
  for (const id of requests) calls.remember('/v1/authorization-requests', id);
  const { body } = await house.admin.call<{ data: { id: string }[] }>('GET', '/v1/webhook-endpoints');
  const { data } = await house.database.deliveries.ofEndpoint(body.data[0]!.id, { limit: 10 });
  for (const { id } of data) calls.remember('deliveries', id);
}
