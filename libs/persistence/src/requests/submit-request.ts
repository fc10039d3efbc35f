import { authorizationEvents, eventType, type CloudEvent } from '#lib/contracts';
import { shardOf } from '#lib/domain';
import { v7 as uuid } from 'uuid';
import { NaturalBatcher } from '../natural-batcher.js';
import { hex, statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { factEventSql, storedFact } from './fact-event.js';
import type { NewRequest, Repetition, SubmitResult } from './request.types.js';
import { requestPlace } from './sealed-columns.js';

/** Accepts requests: concurrent ones in one statement, each answered after its own commit. */
export class SubmitRequest {
  private readonly batcher = new NaturalBatcher<NewRequest, SubmitResult>({
    name: 'the acceptance of requests',
    run: (requests) => this.submit(requests),
  });

  constructor(private readonly context: StoreContext) {}

  run(request: NewRequest): Promise<SubmitResult> {
    return this.batcher.run(request);
  }

  async submitted(apiClientId: string, idempotencyKey: string, bodyHash: Buffer): Promise<Repetition | null> {
    const first = await this.context.sql.row<EarlierRow>(findByIdempotencyKeys, [[apiClientId], [idempotencyKey]]);
    return first === null ? null : repetition(first, bodyHash);
  }

  private async submit(requests: readonly NewRequest[]): Promise<SubmitResult[]> {
    const input = JSON.stringify(requests.map((request) => this.toInput(request)));
    const created = await this.context.sql.rows<{ id: string; event: CloudEvent }>(insertRequests, [
      input,
      this.context.source,
    ]);
    this.context.committed(created.map(({ event }) => storedFact(authorizationEvents.requested, event)));

    const createdAt = new Map(created.map(({ id, event }) => [id, new Date(event.time)]));
    const repeated = requests.filter(({ id }) => !createdAt.has(id));
    const earlier = await this.earlier(repeated);
    return requests.map((request): SubmitResult => {
      const at = createdAt.get(request.id);
      if (at !== undefined) return { kind: 'created', id: request.id, createdAt: at };
      const first = earlier.get(keyOf(request.apiClientId, request.idempotencyKey));
      if (first === undefined) throw new Error(`Request ${request.id} was neither stored nor a replay.`);
      return repetition(first, request.bodyHash);
    });
  }

  /** The requests that came first under the same idempotency keys; a statement of its own, to see what was committed. */
  private async earlier(repeated: readonly NewRequest[]): Promise<Map<string, EarlierRow>> {
    if (repeated.length === 0) return new Map();
    const rows = await this.context.sql.rows<EarlierRow>(findByIdempotencyKeys, [
      repeated.map(({ apiClientId }) => apiClientId),
      repeated.map(({ idempotencyKey }) => idempotencyKey),
    ]);
    return new Map(rows.map((row) => [keyOf(row.api_client_id, row.idempotency_key), row]));
  }

  private toInput(request: NewRequest) {
    const { id } = request;
    const seal = (column: 'attributes' | 'login_hint' | 'user_code', text: string) =>
      hex(this.context.sealing.seal(text, requestPlace(column, id)));
    return {
      id,
      shard: shardOf(id),
      api_client_id: request.apiClientId,
      idempotency_key: request.idempotencyKey,
      body_hash: hex(request.bodyHash),
      rule_id: request.rule.id,
      rule_version: request.rule.version,
      rule_name: request.rule.name,
      token_provider_id: request.tokenProviderId,
      attributes: seal('attributes', JSON.stringify(request.attributes)),
      login_hint: seal('login_hint', request.loginHint),
      user_code: request.userCode === null ? null : seal('user_code', request.userCode),
      binding_message: request.bindingMessage,
      // As text: what JSON may say and no text column can hold passes unread.
      metadata: JSON.stringify(request.metadata),
      callback_url: request.callbackUrl,
      request_hash: request.requestHash,
      traceparent: request.traceparent,
      event_id: uuid(),
    };
  }
}

interface EarlierRow {
  readonly id: string;
  readonly api_client_id: string;
  readonly idempotency_key: string;
  readonly body_hash: Buffer;
}

const repetition = (first: EarlierRow, bodyHash: Buffer): Repetition =>
  first.body_hash.equals(bodyHash) ? { kind: 'replayed', id: first.id } : { kind: 'idempotency-key-reused' };

const keyOf = (apiClientId: string, idempotencyKey: string | null) => `${apiClientId} ${idempotencyKey ?? ''}`;

// Rows go in ordered by client and key: two processes that insert the same keys wait for each other in one order.
const insertRequests = statement(
  'insert_requests',
  /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id uuid, shard smallint, api_client_id uuid, idempotency_key text, body_hash bytea, rule_id uuid,
      rule_version integer, rule_name text, token_provider_id uuid, attributes bytea, login_hint bytea, user_code bytea,
      binding_message text, metadata text, callback_url text, request_hash text, traceparent text, event_id uuid)
  ), inserted as (
    insert into authorization_requests (
      id, shard, api_client_id, idempotency_key, body_hash, rule_id, rule_version, rule_name, token_provider_id,
      attributes, login_hint, user_code, binding_message, metadata, callback_url, request_hash, traceparent)
    select id, shard, api_client_id, idempotency_key, body_hash, rule_id, rule_version, rule_name, token_provider_id,
      attributes, login_hint, user_code, binding_message, metadata::json, callback_url, request_hash, traceparent
    from input order by api_client_id, idempotency_key, id
    on conflict (api_client_id, idempotency_key) do nothing
    returning id, created_at, state_version, traceparent
  ), told as (
    insert into request_timeline (request_id, at, type, detail)
    select inserted.id, inserted.created_at, 'requested', json_build_object('rule', input.rule_name, 'version', input.rule_version)
    from inserted join input using (id)
  )
  insert into outbox (id, exchange, routing_key, event)
  select input.event_id, 'assent.authorizations', '${authorizationEvents.requested}',
    ${factEventSql({
      id: 'input.event_id',
      source: '$2::text',
      type: `'${eventType(authorizationEvents.requested)}'`,
      requestId: 'inserted.id',
      time: 'inserted.created_at',
      traceparent: 'inserted.traceparent',
      status: `'requested'`,
      reason: 'null::text',
      stateVersion: 'inserted.state_version',
    })}
  from inserted join input using (id)
  returning event->>'subject' as id, event`,
);

const findByIdempotencyKeys = statement(
  'find_by_idempotency_keys',
  /* sql */ `
  select r.id, r.api_client_id, r.idempotency_key, r.body_hash
  from unnest($1::uuid[], $2::text[]) as asked (api_client_id, idempotency_key)
  join authorization_requests r using (api_client_id, idempotency_key)`,
);
