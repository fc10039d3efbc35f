/** A run's folder, joined: what the clients saw, what the provider did, what arrived, and what the database holds. */

import { createHash } from 'node:crypto';
import {
  readDecision,
  readDelivery,
  readDeliveryAttempt,
  readInbox,
  readOutbox,
  readRequest,
  readStartAttempt,
  readTimeline,
  type DecisionRow,
  type DeliveryAttemptRow,
  type DeliveryRow,
  type InboxRow,
  type OutboxRow,
  type RequestRow,
  type StartAttemptRow,
  type TimelineRow,
} from './database-rows.js';
import { Faults } from './faults.js';
import { callsOf, type Call } from './calls.js';
import { Submissions } from './submissions.js';
import type { AmqpLine, ProviderLine, RecordedRun, Row, RuleFacts, RunFacts, WebhookLine } from './history-lines.js';

/** What the provider knows of one `auth_req_id`. */
export interface Grant {
  readonly authReqId: string;
  readonly sha256: string;
  readonly start: ProviderLine | null;
  /** Token calls, in the order of arrival. */
  readonly tokens: ProviderLine[];
  readonly persons: ProviderLine[];
  readonly pings: ProviderLine[];
  readonly pushes: ProviderLine[];
}

export interface History {
  readonly recorded: RecordedRun;
  readonly run: RunFacts;
  readonly faults: Faults;
  readonly calls: readonly Call[];
  readonly webhooks: readonly WebhookLine[];
  readonly amqp: readonly AmqpLine[];
  readonly grants: ReadonlyMap<string, Grant>;
  readonly submissions: Submissions;
  /** Start calls that reached the provider. */
  readonly starts: readonly ProviderLine[];
  readonly requests: ReadonlyMap<string, RequestRow>;
  readonly timelines: ReadonlyMap<string, readonly TimelineRow[]>;
  readonly decisions: readonly DecisionRow[];
  readonly decisionById: ReadonlyMap<string, DecisionRow>;
  readonly decisionsOfRequest: ReadonlyMap<string, readonly DecisionRow[]>;
  readonly deliveries: readonly DeliveryRow[];
  readonly attemptsOfDelivery: ReadonlyMap<string, readonly DeliveryAttemptRow[]>;
  readonly outbox: readonly OutboxRow[];
  readonly inbox: readonly InboxRow[];
  /** As they are in their tables. */
  readonly auditEvents: readonly Row[];
  readonly auditHeads: readonly Row[];
  readonly startAttempts: ReadonlyMap<string, readonly StartAttemptRow[]>;
  ruleOf(request: RequestRow): RuleFacts | undefined;
  clientId(name: string): string | undefined;
  /** Start calls about a request, in the order of arrival: those that name its person and show its text. */
  startsOf(request: RequestRow): readonly ProviderLine[];
  /** The provider's side of a request; undefined when it was never acknowledged. */
  grantOf(request: RequestRow): Grant | undefined;
}

/** The tables without which nothing can be judged. */
export const neededTables = [
  'authorization_requests',
  'request_timeline',
  'decisions',
  'deliveries',
  'delivery_attempts',
  'outbox',
  'inbox',
  'start_attempts',
  'audit_events',
  'audit_heads',
] as const;

/** Joins the lines of a run. @throws Error when a table is missing or a row is not what the schema says. */
export function joinHistory(recorded: RecordedRun): History {
  const { run } = recorded;
  const table = (name: (typeof neededTables)[number]) => {
    const rows = recorded.database[name];
    if (rows === undefined) throw new Error(`database/${name}.jsonl is missing`);
    return rows;
  };
  const requests = new Map(table('authorization_requests').map((row) => [row['id'] as string, readRequest(row)]));
  const timelines = groupBy(table('request_timeline').map(readTimeline), ({ requestId }) => requestId);
  for (const entries of timelines.values()) entries.sort((one, other) => one.position - other.position);
  const decisions = table('decisions').map(readDecision);
  const grants = grantsOf(recorded.provider);
  const rules = new Map(run.rules.map((rule) => [`${rule.id} ${rule.version}`, rule]));
  const latestRules = new Map(run.rules.map((rule) => [rule.id, rule]));
  const clientIds = new Map(run.apiClients.map(({ name, id }) => [name, id]));
  const ruleOf = ({ ruleId, ruleVersion }: RequestRow) =>
    rules.get(`${ruleId} ${ruleVersion}`) ?? latestRules.get(ruleId);
  const clientId = (name: string) => clientIds.get(name);
  const calls = callsOf(recorded.clients);
  const submissions = new Submissions(calls, clientId, ruleOf);
  const starts = recorded.provider.filter(({ kind }) => kind === 'start').sort((one, other) => one.atMs - other.atMs);
  const asked = groupBy(starts, ({ loginHint, bindingMessage }) => askedKey(loginHint, bindingMessage));
  return {
    recorded,
    run,
    faults: new Faults(recorded.faults),
    calls,
    submissions,
    webhooks: recorded.webhooks,
    amqp: recorded.amqp,
    grants,
    starts,
    requests,
    timelines,
    decisions,
    decisionById: new Map(decisions.map((decision) => [decision.id, decision])),
    decisionsOfRequest: groupBy(decisions, ({ requestId }) => requestId),
    deliveries: table('deliveries').map(readDelivery),
    attemptsOfDelivery: groupBy(table('delivery_attempts').map(readDeliveryAttempt), ({ deliveryId }) => deliveryId),
    outbox: table('outbox').map(readOutbox),
    inbox: table('inbox').map(readInbox),
    auditEvents: table('audit_events'),
    auditHeads: table('audit_heads'),
    startAttempts: groupBy(table('start_attempts').map(readStartAttempt), ({ requestId }) => requestId),
    ruleOf,
    clientId,
    startsOf: (row) => asked.get(askedKey(submissions.hintOf(row), row.bindingMessage)) ?? [],
    grantOf: ({ authReqIdSha256 }) => (authReqIdSha256 === null ? undefined : grants.get(authReqIdSha256)),
  };
}

const askedKey = (hint: unknown, message: string | null | undefined): string =>
  JSON.stringify([hint ?? null, message ?? null]);

export function groupBy<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function grantsOf(lines: readonly ProviderLine[]): Map<string, Grant> {
  const grants = new Map<string, Grant>();
  for (const line of [...lines].sort((one, other) => one.atMs - other.atMs)) {
    if (!line.authReqId) continue;
    const sha256 = createHash('sha256').update(line.authReqId).digest('hex');
    const known = grants.get(sha256);
    const grant: Grant = known ?? {
      authReqId: line.authReqId,
      sha256,
      start: line.kind === 'start' ? line : null,
      tokens: [],
      persons: [],
      pings: [],
      pushes: [],
    };
    if (known === undefined) grants.set(sha256, grant);
    if (line.kind === 'token') grant.tokens.push(line);
    if (line.kind === 'person') grant.persons.push(line);
    if (line.kind === 'ping-sent') grant.pings.push(line);
    if (line.kind === 'push-sent') grant.pushes.push(line);
  }
  return grants;
}
