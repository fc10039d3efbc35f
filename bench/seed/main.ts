import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createRabbitBus, OutboxRelay, type EventBus } from '#lib/messaging';
import { Database, type RuleRow } from '#lib/persistence';
import type { Decision } from '#lib/contracts';
import { v7 as uuid } from 'uuid';
import { serve } from '../harness/serve.js';
import { sharedNowMs } from '../outside/stub-provider.js';
import { requestOf } from './request-of.js';

/** Whose requests are made, and what they are like. */
export interface Batch {
  readonly count: number;
  readonly ruleId: string;
  readonly apiClientId: string;
  readonly callbackUrl?: string | null;
  readonly intervalSeconds?: number;
}

/** Where the requests are kept; with a broker, what happens to them is published as the services do it. */
export interface SeedConfig {
  readonly databaseUrl: string;
  readonly masterKeys: string;
  readonly amqpUrl: string | null;
}

/** Approvals, so many a second. */
export interface SteadyApprovals {
  readonly ids: readonly string[];
  readonly perSecond: number;
}

let database: Database;
let bus: EventBus | null = null;
let relay: OutboxRelay | null = null;
/** Enough to fill the batches of every statement. */
const atOnce = 512;

async function start({ databaseUrl, masterKeys, amqpUrl }: SeedConfig): Promise<void> {
  database = await Database.open({ url: databaseUrl, masterKeys, source: '/assent/bench' });
  if (amqpUrl === null) return;
  const publisher = createRabbitBus({ url: amqpUrl, instanceId: randomUUID() });
  bus = publisher;
  await publisher.whenConnected();
  const outbox = new OutboxRelay({ outbox: database.outbox, publisher, maxHeld: 50_000 });
  relay = outbox;
  database.onEvents((events) => outbox.offer(events));
}

/** Requests that the provider has not been asked about. */
async function requested({ count, ruleId, apiClientId, callbackUrl }: Batch): Promise<string[]> {
  const rule = await ruleOf(ruleId);
  return inParallel(count, async () => {
    const request = requestOf(rule, { apiClientId, callbackUrl: callbackUrl ?? null });
    const made = await database.requests.submit(request);
    if (made.kind !== 'created') throw new Error(made.kind);
    return request.id;
  });
}

/** Requests whose person is being asked, made by the statements of the services. */
async function pending(batch: Batch): Promise<string[]> {
  const rule = await ruleOf(batch.ruleId);
  return inParallel(batch.count, async () => onePending(rule, batch));
}

async function onePending(rule: RuleRow, { apiClientId, callbackUrl, intervalSeconds = 5 }: Batch): Promise<string> {
  const request = requestOf(rule, { apiClientId, callbackUrl: callbackUrl ?? null });
  const { id } = request;
  const made = await database.requests.submit(request);
  if (made.kind !== 'created') throw new Error(made.kind);
  const attempt = { requestId: id, attemptId: uuid(), instanceId: 'bench', callTimeoutMs: 10_000, cause: null };
  const opened = await database.requests.openAttempt(attempt);
  if (opened.kind !== 'opened') throw new Error(opened.kind);
  const changed = await database.requests.change(id, {
    type: 'acknowledge',
    attemptId: attempt.attemptId,
    authReqId: randomUUID(),
    sentAt: opened.sentAt,
    expiresInSeconds: 7200,
    intervalSeconds,
  });
  if (changed.kind !== 'applied') throw new Error(changed.kind);
  return id;
}

/** Has these requests approved, as the poller has after it has verified the evidence; answers when each was. */
async function approve(ids: readonly string[]): Promise<Map<string, number>> {
  const at = new Map<string, number>();
  const left = [...ids];
  await inParallel(left.length, async () => {
    const id = left.pop()!;
    await approveOne(id);
    at.set(id, sharedNowMs());
  });
  return at;
}

/** The same at a steady rate, in this order. */
async function approveSteadily({ ids, perSecond }: SteadyApprovals): Promise<Map<string, number>> {
  const at = new Map<string, number>();
  const startedAt = performance.now();
  const approved = ids.map(async (id, position) => {
    await pause(Math.max(0, startedAt + (position * 1000) / perSecond - performance.now()));
    await approveOne(id);
    at.set(id, sharedNowMs());
  });
  await Promise.all(approved);
  return at;
}

const evidence = () => ({
  issuer: 'https://op.example',
  subject: randomUUID(),
  acr: null,
  amr: null,
  authTime: 1_760_000_000,
  idTokenSha256: randomBytes(32).toString('base64url'),
});

async function approveOne(id: string): Promise<void> {
  const result = await database.requests.change(id, {
    type: 'approve',
    evidence: evidence(),
    grantedScope: 'openid',
    consumeWithinSeconds: 86_400,
    releasedToken: null,
    held: false,
    polls: 1,
  });
  if (result.kind !== 'applied') throw new Error(result.kind);
}

/** Approved requests with their decisions, ready to be used. */
async function approved(batch: Batch): Promise<string[]> {
  const rule = await ruleOf(batch.ruleId);
  return inParallel(batch.count, async () => {
    const id = await onePending(rule, batch);
    await approveOne(id);
    const decision: Decision = {
      id: uuid(),
      authorizationRequestId: id,
      outcome: 'approved',
      reason: null,
      providerError: null,
      rule: { id: rule.id, name: rule.definition.name, version: rule.version },
      decidedAt: new Date().toISOString(),
      rejection: null,
      evidence: evidence(),
      // As long as a real one.
      receipt: randomBytes(480).toString('base64url'),
      requestHash: randomBytes(32).toString('base64url'),
      metadata: {},
    };
    await database.decisions.record({ decision, cause: null });
    return id;
  });
}

async function ruleOf(id: string): Promise<RuleRow> {
  const rule = await database.rules.find(id);
  if (rule === null) throw new Error(`There is no rule ${id}.`);
  return rule;
}

async function inParallel<Result>(count: number, work: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let begun = 0;
  const worker = async () => {
    while (begun++ < count) results.push(await work());
  };
  await Promise.all(Array.from({ length: Math.min(count, atOnce) }, worker));
  return results;
}

async function stop(): Promise<void> {
  await relay?.stop();
  await bus?.close();
  await database.close();
}

serve({ start, requested, pending, approve, approveSteadily, approved, stop });
