import { decisionEventKey, eventType, exchanges, type CloudEvent, type Decision } from '#lib/contracts';
import {
  defaultRejectionHandlers,
  isTerminal,
  type Evidence,
  type ProviderError,
  type Reason,
  type RejectionHandlerDefinition,
  type RuleDefinition,
  type Status,
} from '#lib/domain';
import { v7 as uuid } from 'uuid';
import { NaturalBatcher } from '../natural-batcher.js';
import { isUuid } from '../paging.js';
import { anyOf, instantSql, statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { callbackSecretPlace } from './api-client.store.js';
import { openedSecret, putOff } from './delivery-secrets.js';
import type {
  DecisionContext,
  DecisionRecorded,
  DecisionStore,
  DecisionToRecord,
  DeliveryStore,
  DeliveryWork,
} from './work.types.js';

/** Decisions in Postgres: one per request, written with everything that follows from it. */
export class PostgresDecisionStore implements DecisionStore {
  private readonly batcher = new NaturalBatcher<DecisionToRecord, RecordedRow>({
    name: 'the record of decisions',
    run: (decisions) => this.recordAll(decisions),
    keyOf: ({ decision }) => decision.authorizationRequestId,
  });
  private readonly contexts = new NaturalBatcher<string, DecisionContext | null>({
    name: 'reading ended requests',
    run: (ids) => this.readContexts(ids),
  });

  constructor(
    private readonly store: StoreContext,
    private readonly deliveries: Pick<DeliveryStore, 'finish'>,
  ) {}

  async context(requestId: string): Promise<DecisionContext | null> {
    return isUuid(requestId) ? this.contexts.run(requestId) : null;
  }

  async record(input: Omit<DecisionToRecord, 'callbackLeaseSeconds'>): Promise<'recorded' | 'already-recorded'> {
    return (await this.recordAndLease({ ...input, callbackLeaseSeconds: null })).kind;
  }

  async recordAndLease(input: DecisionToRecord): Promise<DecisionRecorded> {
    const row = await this.batcher.run(input);
    if (!row.recorded) return { kind: 'already-recorded', callback: null, unclaimed: false };
    return { kind: 'recorded', callback: await this.leasedCallback(input.decision, row), unclaimed: row.unclaimed };
  }

  /** As a claim hands it out, byte by byte. */
  private async leasedCallback(decision: Decision, row: RecordedRow): Promise<DeliveryWork | null> {
    const { callback_id: id, url, target, client_id, callback_secret } = row;
    if (id === null || url === null || target === null) return null;
    const secrets: string[] = [];
    if (client_id !== null && callback_secret !== null) {
      const secret = openedSecret(this.store.sealing, callback_secret, callbackSecretPlace(client_id));
      if (secret === null) {
        await this.deliveries.finish([putOff(id, 0)]);
        return null;
      }
      secrets.push(secret);
    }
    const type = decisionEventKey(decision.outcome);
    const timestamp = new Date(decision.decidedAt).toISOString();
    const body = `{"type":"${type}","timestamp":"${timestamp}","data":${JSON.stringify(decision)}}`;
    const requestId = decision.authorizationRequestId;
    return { id, webhookId: decision.id, requestId, url, body, target, kind: 'callback', secrets, failedAttempts: 0 };
  }

  private async readContexts(ids: readonly string[]): Promise<(DecisionContext | null)[]> {
    const rows = await this.store.sql.rows<ContextRow>(selectContexts, [ids]);
    const handlers = await this.rejectionHandlers(rows);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => {
      const row = byId.get(id.toLowerCase());
      return row === undefined ? null : toContext(row, handlers);
    });
  }

  /** Those that may have a say about one of these requests; what was approved needs none. */
  private async rejectionHandlers(rows: readonly ContextRow[]): Promise<HandlerRow[]> {
    const rejected = rows.filter(({ status }) => status !== 'approved');
    if (rejected.length === 0) return [];
    const chosen = rejected.flatMap(({ definition }) => [
      definition.timeoutRejectionHandlerId,
      definition.denyRejectionHandlerId,
      definition.errorRejectionHandlerId,
    ]);
    const ids = [...new Set([...chosen, ...Object.values(defaultRejectionHandlers)])].filter((id) => id !== null);
    return this.store.sql.rows<HandlerRow & Record<string, unknown>>(selectHandlers, [ids]);
  }

  private async recordAll(decisions: readonly DecisionToRecord[]): Promise<RecordedRow[]> {
    const rows = await this.store.sql.rows<RecordedRow & Record<string, unknown>>(recordDecisions, [
      JSON.stringify(decisions.map(toInput)),
      decisions.map(({ decision }) => decision.authorizationRequestId),
      this.store.source,
    ]);
    this.store.committed(
      rows.flatMap(({ routing_key, event }) =>
        routing_key === null || event === null
          ? []
          : [{ id: event.id, outgoing: { exchange: exchanges.decisions, routingKey: routing_key, event } }],
      ),
    );
    const byRequest = new Map(rows.map((row) => [row.request_id, row]));
    return decisions.map(({ decision }) => {
      const row = byRequest.get(decision.authorizationRequestId);
      if (row?.recorded === true || row?.decided === true) return row;
      throw new Error(`Request ${decision.authorizationRequestId} has not ended as ${decision.outcome}.`);
    });
  }
}

const toInput = ({ decision, cause, callbackLeaseSeconds }: DecisionToRecord) => ({
  decision_id: decision.id,
  request_id: decision.authorizationRequestId,
  outcome: decision.outcome,
  // As text, so that what is stored, sent and published is the same document byte by byte.
  document: JSON.stringify(decision),
  decided_at: decision.decidedAt,
  consumer: cause?.consumer,
  cause_id: cause?.eventId,
  event_id: uuid(),
  routing_key: decisionEventKey(decision.outcome),
  event_type: eventType(decisionEventKey(decision.outcome)),
  lease_seconds: callbackLeaseSeconds,
});

interface RecordedRow {
  readonly request_id: string;
  readonly recorded: boolean;
  readonly decided: boolean;
  readonly unclaimed: boolean;
  readonly routing_key: string | null;
  readonly event: CloudEvent | null;
  /** Of the callback that was leased; null when none was. */
  readonly callback_id: string | null;
  readonly url: string | null;
  readonly target: string | null;
  /** Whose secret signs it. */
  readonly client_id: string | null;
  readonly callback_secret: Buffer | null;
}

interface ContextRow {
  readonly id: string;
  readonly status: Status;
  readonly decided: boolean;
  readonly reason: Reason | null;
  readonly provider_error: ProviderError | null;
  readonly evidence: Evidence | null;
  readonly ended_at: Date;
  readonly rule_id: string;
  readonly rule_name: string;
  readonly rule_version: number;
  readonly definition: RuleDefinition;
  readonly binding_message: string | null;
  readonly request_hash: string;
  readonly metadata: Record<string, string>;
  readonly callback_url: string | null;
  readonly expires_at: Date | null;
}

interface HandlerRow {
  readonly id: string;
  readonly name: string;
  readonly definition: RejectionHandlerDefinition;
}

const toContext = (row: ContextRow, handlers: readonly HandlerRow[]): DecisionContext => ({
  requestId: row.id,
  outcome: isTerminal(row.status) ? row.status : null,
  decided: row.decided,
  reason: row.reason,
  providerError: row.provider_error,
  evidence: row.evidence,
  endedAt: row.ended_at,
  rule: { id: row.rule_id, name: row.rule_name, version: row.rule_version },
  definition: row.definition,
  bindingMessage: row.binding_message,
  requestHash: row.request_hash,
  metadata: row.metadata,
  callbackUrl: row.callback_url,
  expiresAt: row.expires_at,
  handlers: new Map(handlers.map((handler) => [handler.id, handler])),
});

const selectContexts = statement(
  'select_decision_contexts',
  /* sql */ `
  select r.id, r.status, r.decision_id is not null as decided, r.reason, r.provider_error, r.evidence,
    coalesce(r.ended_at, clock_timestamp()) as ended_at, r.rule_id, r.rule_name, r.rule_version, v.definition,
    r.binding_message, r.request_hash, r.metadata, r.callback_url, r.expires_at
  from authorization_requests r
  join rule_versions v on v.rule_id = r.rule_id and v.version = r.rule_version
  where r.id = ${anyOf('$1', 'uuid')}`,
);

const selectHandlers = statement(
  'select_rejection_handlers',
  'select id, name, definition from rejection_handlers where id = any($1::uuid[])',
);

// The lock comes first: of two that record the same request, the second finds it decided.
const recordDecisions = statement(
  'record_decisions',
  /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      decision_id uuid, request_id uuid, outcome text, document text, decided_at timestamptz, consumer text,
      cause_id text, event_id uuid, routing_key text, event_type text, lease_seconds float8)
  ), locked as materialized (
    select id, status, decision_id, callback_url, traceparent, api_client_id
    from authorization_requests where id = ${anyOf('$2', 'uuid')} order by id for update
  ), due as materialized (
    select input.*, locked.callback_url, locked.traceparent
    from input join locked on locked.id = input.request_id
    where locked.decision_id is null and locked.status = input.outcome
  ), recorded as (
    insert into decisions (id, request_id, outcome, document, decided_at, event_id)
    select decision_id, request_id, outcome, document::json, decided_at, event_id from due
    returning id
  ), marked as (
    update authorization_requests r set decision_id = due.decision_id, state_version = r.state_version + 1
    from due where r.id = ${anyOf('$2', 'uuid')} and r.id = due.request_id
    returning r.id
  ), handled as (
    insert into inbox (consumer, event_id)
    select consumer, cause_id from due where cause_id is not null order by consumer, cause_id
    on conflict do nothing
  ), told as (
    insert into request_timeline (request_id, type, detail)
    select request_id, 'decided', json_build_object('outcome', outcome, 'decisionId', decision_id)
    from due order by request_id
  ), called_back as (
    insert into deliveries (decision_id, request_id, kind, url, target, next_attempt_at, lease_until)
    select decision_id, request_id, 'callback', callback_url,
      lower(substring(callback_url from '^[^:]+://([^/?#]+)')), clock_timestamp(),
      clock_timestamp() + make_interval(secs => lease_seconds)
    from due where callback_url is not null
    returning id, request_id, url, target, lease_until
  ), sent as (
    insert into deliveries (decision_id, request_id, kind, endpoint_id, url, target, next_attempt_at)
    select due.decision_id, due.request_id, 'webhook', e.id, e.url, e.id::text, clock_timestamp()
    from due join webhook_endpoints e on e.enabled and due.routing_key = any(e.events)
    returning request_id
  ), stored as (
    insert into outbox (id, exchange, routing_key, event)
    select event_id, '${exchanges.decisions}', routing_key, concat(
      '{"specversion":"1.0","id":', to_json(event_id), ',"source":', to_json($3::text), ',"type":', to_json(event_type),
      ',"subject":', to_json(request_id), ',"time":"', ${instantSql('decided_at')}, '","datacontenttype":"application/json"',
      ',"traceparent":' || to_json(traceparent)::text, ',"data":', document, '}')::json
    from due
    returning id, routing_key, event
  )
  select input.request_id, marked.id is not null as recorded, locked.decision_id is not null as decided,
    stored.routing_key, stored.event, leased.id as callback_id, leased.url, leased.target,
    client.id as client_id, client.callback_secret,
    exists (select from called_back c where c.request_id = input.request_id and c.lease_until is null)
      or exists (select from sent where sent.request_id = input.request_id) as unclaimed
  from input
  left join locked on locked.id = input.request_id
  left join marked on marked.id = input.request_id
  left join stored on stored.id = input.event_id
  left join called_back leased on leased.request_id = input.request_id and leased.lease_until is not null
  left join lateral (
    select c.id, c.callback_secret from api_clients c where leased.id is not null and c.id = locked.api_client_id limit 1
  ) as client on true
  cross join (select count(*) from recorded) as all_recorded`,
);
