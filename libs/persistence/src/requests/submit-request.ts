import { authorizationEvents, eventType, type CloudEvent } from '#lib/contracts';
import { shardOf } from '#lib/domain';
import { v7 as uuid } from 'uuid';
import { NaturalBatcher } from '../natural-batcher.js';
import { hex, statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { admissionOf } from './admission.js';
import { factEventSql, storedFact } from './fact-event.js';
import type { LimitsLeft, NewRequest, PromptRefusal, Repetition, SubmitResult } from './request.types.js';
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
    const { persons, clients, rules, asks } = admissionOf(requests, this.context.lookup);
    const rows = await this.context.sql.rows<AdmittedRow>(insertRequests, [
      input,
      this.context.source,
      persons,
      clients,
      rules,
      asks,
    ]);
    this.context.committed(
      rows.flatMap(({ event }) => (event === null ? [] : [storedFact(authorizationEvents.requested, event)])),
    );

    const verdicts = new Map(rows.map((row) => [row.id, row]));
    const repeated = requests.filter(({ id }) => isRepeated(verdicts.get(id)!));
    const earlier = await this.earlier(repeated);
    const results: SubmitResult[] = [];
    for (const request of requests) {
      const row = verdicts.get(request.id)!;
      const joinsNothing = row.within_batch && verdicts.get(row.other_id!)?.event == null;
      const result = joinsNothing ? null : toResult(request, row, earlier);
      if (result === null && requests.length === 1) {
        throw new Error(`Request ${request.id} was neither stored nor a replay.`);
      }
      // What it was to join or to repeat was not stored after all: it is a case of its own now.
      results.push(result ?? (await this.submit([request]))[0]!);
    }
    return results;
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
      subject_key: hex(this.context.lookup.ofPerson(request.person)),
      join_key: request.joinText === null ? null : hex(this.context.lookup.ofAsked(request.joinText)),
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

interface AdmittedRow {
  readonly id: string;
  readonly verdict: 'admitted' | 'repeated' | 'joined' | 'refused';
  readonly other_id: string | null;
  readonly within_batch: boolean;
  readonly exceeded: PromptRefusal['limit'] | null;
  readonly quota: number | null;
  readonly window_seconds: number | null;
  readonly retry_after_seconds: number | null;
  readonly outstanding_left: number | null;
  readonly five_minutes_left: number | null;
  readonly hour_left: number | null;
  readonly client_left: number | null;
  readonly rule_left: number | null;
  readonly event: CloudEvent | null;
}

// Admitted, and yet not stored: another process was first with the key.
const isRepeated = ({ verdict, event }: AdmittedRow): boolean =>
  verdict === 'repeated' || (verdict === 'admitted' && event === null);

function toResult(
  { id, apiClientId, idempotencyKey, bodyHash }: NewRequest,
  row: AdmittedRow,
  earlier: ReadonlyMap<string, EarlierRow>,
): SubmitResult | null {
  if (row.event !== null) return { kind: 'created', id, createdAt: new Date(row.event.time), left: leftOf(row) };
  switch (row.verdict) {
    case 'joined':
      return { kind: 'joined', id: row.other_id! };
    case 'refused':
      return {
        kind: 'limited',
        limit: row.exceeded!,
        quota: row.quota!,
        windowSeconds: row.window_seconds,
        retryAfterSeconds: row.retry_after_seconds!,
      };
    case 'admitted':
    case 'repeated': {
      const first = earlier.get(keyOf(apiClientId, idempotencyKey));
      return first === undefined ? null : repetition(first, bodyHash);
    }
  }
}

const leftOf = (row: AdmittedRow): LimitsLeft => ({
  outstanding: row.outstanding_left,
  'five-minutes': row.five_minutes_left,
  hour: row.hour_left,
  client: row.client_left,
  rule: row.rule_left,
});

interface EarlierRow {
  readonly id: string;
  readonly api_client_id: string;
  readonly idempotency_key: string;
  readonly body_hash: Buffer;
}

const repetition = (first: EarlierRow, bodyHash: Buffer): Repetition =>
  first.body_hash.equals(bodyHash) ? { kind: 'replayed', id: first.id } : { kind: 'idempotency-key-reused' };

const keyOf = (apiClientId: string, idempotencyKey: string | null) => `${apiClientId} ${idempotencyKey ?? ''}`;

// Who may be asked is decided first (see the migrations that make `admit_prompts` and `admit_requests`). Rows go in ordered by client and key: two processes that insert the same keys wait for each other in one order.
const insertRequests = statement(
  'insert_requests',
  /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id uuid, shard smallint, api_client_id uuid, idempotency_key text, body_hash bytea, rule_id uuid,
      rule_version integer, rule_name text, token_provider_id uuid, attributes bytea, login_hint bytea, user_code bytea,
      binding_message text, metadata text, callback_url text, request_hash text, traceparent text, event_id uuid,
      subject_key bytea, join_key bytea)
  ), admitted as materialized (
    select * from admit_requests($3::bytea[], $4::uuid[], $5::uuid[], $6::json)
  ), inserted as (
    insert into authorization_requests (
      id, shard, api_client_id, idempotency_key, body_hash, rule_id, rule_version, rule_name, token_provider_id,
      attributes, login_hint, user_code, binding_message, metadata, callback_url, request_hash, traceparent,
      subject_key, join_key)
    select id, shard, api_client_id, idempotency_key, body_hash, rule_id, rule_version, rule_name, token_provider_id,
      attributes, login_hint, user_code, binding_message, metadata::json, callback_url, request_hash, traceparent,
      subject_key, join_key
    from input join admitted using (id) where admitted.verdict = 'admitted' order by api_client_id, idempotency_key, id
    on conflict (api_client_id, idempotency_key) do nothing
    returning id, created_at, state_version, traceparent
  ), told as (
    insert into request_timeline (request_id, at, type, detail)
    select inserted.id, inserted.created_at, 'requested', json_build_object('rule', input.rule_name, 'version', input.rule_version)
    from inserted join input using (id)
  ), joined as (
    insert into joined_requests (api_client_id, idempotency_key, body_hash, request_id)
    select input.api_client_id, input.idempotency_key, input.body_hash, admitted.other_id
    from admitted join input using (id)
    where admitted.verdict = 'joined' and input.idempotency_key is not null
      and (not admitted.within_batch or admitted.other_id in (select inserted.id from inserted))
    order by input.api_client_id, input.idempotency_key
    on conflict do nothing
  ), stored as (
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
  returning event->>'subject' as id, event
  )
  select admitted.*, stored.event from admitted left join stored on stored.id = admitted.id::text`,
);

const findByIdempotencyKeys = statement(
  'find_by_idempotency_keys',
  /* sql */ `
  with asked as (select * from unnest($1::uuid[], $2::text[]) as asked (api_client_id, idempotency_key))
  select r.id, r.api_client_id, r.idempotency_key, r.body_hash
  from asked join authorization_requests r using (api_client_id, idempotency_key)
  union all
  select j.request_id, j.api_client_id, j.idempotency_key, j.body_hash
  from asked join joined_requests j using (api_client_id, idempotency_key)`,
);
