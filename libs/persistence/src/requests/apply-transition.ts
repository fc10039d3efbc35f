import { eventOfStatus, eventType, type AuthorizationEventKey, type CloudEvent } from '#lib/contracts';
import type { Status, Transition } from '#lib/domain';
import { v7 as uuid } from 'uuid';
import { faultOf } from '../errors.js';
import { NaturalBatcher } from '../natural-batcher.js';
import { sha256 } from '../sealing.js';
import { anyOf, hex, statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { factEventSql, storedFact } from './fact-event.js';
import type { ApplyResult } from './request.types.js';
import { requestPlace } from './sealed-columns.js';

/**
 * Applies transitions: the only statement that changes a request's status. It locks the rows, then reads the clock,
 * then judges status, guard and fence; what passes is written together with its timeline and its event.
 */
export class ApplyTransition {
  // Two transitions of one request never share a statement: the second must see what the first has done.
  private readonly batcher = new NaturalBatcher<Transition, ApplyResult>({
    name: 'the change of requests',
    run: (transitions) => this.apply(transitions),
    keyOf: ({ requestId }) => requestId,
  });

  constructor(private readonly context: StoreContext) {}

  async run(transition: Transition): Promise<ApplyResult> {
    try {
      return await this.batcher.run(transition);
    } catch (error) {
      if (isEvidenceReuse(error)) return { kind: 'evidence-reused' };
      throw error;
    }
  }

  private async apply(transitions: readonly Transition[]): Promise<ApplyResult[]> {
    const rows = await this.context.sql.rows<AnswerRow>(applyTransitions, [
      JSON.stringify(transitions.map((transition) => this.toInput(transition))),
      transitions.map(({ requestId }) => requestId),
      transitions.flatMap(({ fence }) => (fence === null ? [] : [fence.shard])),
      this.context.source,
      transitions.flatMap(({ guard, changes }) =>
        guard === 'attempt-open' && changes.closedAttempt !== undefined ? [changes.closedAttempt.id] : [],
      ),
    ]);
    this.context.committed(
      rows.flatMap(({ routing_key, event }) =>
        routing_key === null || event === null ? [] : [storedFact(routing_key, event)],
      ),
    );
    const answers = new Map(rows.map((row) => [row.request_id, row]));
    return transitions.map(({ requestId }) => toResult(requestId, answers.get(requestId)));
  }

  private toInput({ requestId, from, to, guard, fence, changes, timeline }: Transition) {
    const { sealing } = this.context;
    const evidence = changes.evidence ?? changes.lateEvidence;
    const entersStatus = to !== from;
    return {
      request_id: requestId,
      from_status: from,
      to_status: to,
      guard,
      fence_shard: fence?.shard,
      fence_owner: fence?.owner,
      fence_epoch: fence?.epoch,
      reason: changes.reason,
      // Documents travel as text: what JSON may say and no text column can hold passes unread.
      provider_error: document(changes.providerError),
      binding_message: changes.bindingMessage,
      request_hash: changes.requestHash,
      auth_req_id:
        changes.authReqId === undefined
          ? undefined
          : hex(sealing.seal(changes.authReqId, requestPlace('auth_req_id', requestId))),
      auth_req_id_sha256: changes.authReqId === undefined ? undefined : hex(sha256(changes.authReqId)),
      sent_at: changes.sentAt,
      expires_at: changes.expiresAt,
      interval_seconds: changes.intervalSeconds,
      evidence: document(changes.evidence),
      late_evidence: document(changes.lateEvidence),
      id_token_sha256: evidence?.idTokenSha256,
      granted_scope: changes.grantedScope,
      consume_within_seconds: changes.consumeWithinSeconds,
      released_token:
        changes.releasedToken === undefined
          ? undefined
          : hex(sealing.seal(JSON.stringify(changes.releasedToken), requestPlace('released_token', requestId))),
      released_token_expires_at: changes.releasedToken?.expiresAt,
      consumes: changes.consumed !== undefined,
      consumed_by: changes.consumed?.by,
      consume_key: changes.consumed?.key,
      closed_attempt_id: changes.closedAttempt?.id,
      closed_attempt_outcome: changes.closedAttempt?.outcome,
      timeline: timeline.map(({ type, detail }) => ({ type, detail: JSON.stringify(detail) })),
      // A transition that enters no status, such as a consumption, tells nobody.
      event_id: entersStatus ? uuid() : undefined,
      routing_key: entersStatus ? eventOfStatus[to] : undefined,
      event_type: entersStatus ? eventType(eventOfStatus[to]) : undefined,
    };
  }
}

const document = (value: object | undefined): string | undefined =>
  value === undefined ? undefined : JSON.stringify(value);

interface AnswerRow {
  readonly request_id: string;
  readonly status: Status | null;
  readonly expires_at: Date | null;
  readonly consumed_at: Date | null;
  readonly consume_by: Date | null;
  readonly judged_at: Date;
  readonly fenced: boolean;
  readonly applied_version: number | null;
  readonly routing_key: AuthorizationEventKey | null;
  readonly event: CloudEvent | null;
}

function toResult(requestId: string, row: AnswerRow | undefined): ApplyResult {
  if (row === undefined || row.status === null) return { kind: 'gone' };
  if (row.applied_version !== null) return { kind: 'applied', stateVersion: row.applied_version };
  return {
    kind: 'refused',
    current: {
      id: requestId,
      status: row.status,
      expiresAt: row.expires_at,
      consumedAt: row.consumed_at,
      consumeBy: row.consume_by,
    },
    databaseNow: row.judged_at,
    fenced: row.fenced,
  };
}

const reuseConstraints: readonly (string | null)[] = [
  'authorization_requests__id_token_sha256_key',
  'authorization_requests__auth_req_id_sha256_key',
];

/** True when the statement failed because the evidence, or the `auth_req_id`, serves another request already. */
export function isEvidenceReuse(error: unknown): boolean {
  const { code, constraint } = faultOf(error);
  return code === '23505' && reuseConstraints.includes(constraint);
}

// `judged` counts the locked rows before it reads the clock: a deadline that passes while the statement waits for a
// lock has passed. A condition in the UPDATE itself would be judged before the wait.
const applyTransitions = statement(
  'apply_transitions',
  /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      request_id uuid, from_status text, to_status text, guard text, fence_shard smallint, fence_owner text,
      fence_epoch integer, reason text, provider_error text, binding_message text, request_hash text, auth_req_id bytea, auth_req_id_sha256 bytea,
      sent_at timestamptz, expires_at timestamptz, interval_seconds integer, evidence text, late_evidence text,
      id_token_sha256 text, granted_scope text, consume_within_seconds integer, released_token bytea,
      released_token_expires_at timestamptz, consumes boolean, consumed_by text, consume_key text,
      closed_attempt_id uuid, closed_attempt_outcome text, timeline json, event_id uuid, routing_key text,
      event_type text)
  ), fences as materialized (
    select shard, owner, epoch from poller_shards where shard = ${anyOf('$3', 'smallint')} order by shard for share
  ), locked as materialized (
    select id, status, expires_at, consumed_at, consume_by
    from authorization_requests where id = ${anyOf('$2', 'uuid')} order by id for update
  ), open_attempts as materialized (
    -- Locked, so that one which was closed while the statement waited counts as closed.
    select id from start_attempts where id = ${anyOf('$5', 'uuid')} and closed_at is null order by id for update
  ), clock as materialized (
    select clock_timestamp() as judged_at
    from (select count(*) from locked) as all_locked, (select count(*) from fences) as all_fenced
  ), judged as materialized (
    select input.*, locked.status, clock.judged_at, fence.fenced,
      locked.status = input.from_status and not fence.fenced and
      case input.guard
        when 'none' then true
        when 'before-deadline' then clock.judged_at < locked.expires_at
        when 'after-deadline' then clock.judged_at >= locked.expires_at
        when 'held-before-deadline' then exists (
          select from held_answers h where h.request_id = locked.id and h.received_at < locked.expires_at)
        when 'attempt-open' then exists (select from open_attempts o where o.id = input.closed_attempt_id)
        when 'consumable' then locked.consumed_at is null and clock.judged_at < locked.consume_by
        else false
      end as passes,
      input.to_status in ('approved', 'denied', 'expired', 'cancelled', 'failed') as ends
    from input
    join locked on locked.id = input.request_id
    cross join clock
    cross join lateral (
      select input.fence_shard is not null and not exists (
        select from fences f
        where f.shard = input.fence_shard and f.owner = input.fence_owner and f.epoch = input.fence_epoch
      ) as fenced
    ) as fence
  ), updated as (
    update authorization_requests r set
      status = j.to_status,
      state_version = r.state_version + 1,
      reason = coalesce(j.reason, r.reason),
      provider_error = coalesce(j.provider_error::json, r.provider_error),
      binding_message = coalesce(j.binding_message, r.binding_message),
      request_hash = coalesce(j.request_hash, r.request_hash),
      auth_req_id = case when j.ends then null else coalesce(j.auth_req_id, r.auth_req_id) end,
      auth_req_id_sha256 = coalesce(j.auth_req_id_sha256, r.auth_req_id_sha256),
      sent_at = coalesce(j.sent_at, r.sent_at),
      expires_at = coalesce(j.expires_at, r.expires_at),
      interval_seconds = coalesce(j.interval_seconds, r.interval_seconds),
      evidence = coalesce(j.evidence::json, r.evidence),
      late_evidence = coalesce(j.late_evidence::json, r.late_evidence),
      id_token_sha256 = coalesce(j.id_token_sha256, r.id_token_sha256),
      granted_scope = coalesce(j.granted_scope, r.granted_scope),
      released_token = coalesce(j.released_token, r.released_token),
      released_token_expires_at = coalesce(j.released_token_expires_at, r.released_token_expires_at),
      consume_by = coalesce(j.judged_at + make_interval(secs => j.consume_within_seconds), r.consume_by),
      consumed_at = case when j.consumes then j.judged_at else r.consumed_at end,
      consumed_by = coalesce(j.consumed_by, r.consumed_by),
      consume_key = coalesce(j.consume_key, r.consume_key),
      user_code = case when j.to_status = 'requested' then r.user_code end,
      ended_at = case when j.ends then coalesce(r.ended_at, j.judged_at) else r.ended_at end
    from judged j
    where r.id = j.request_id and j.passes
    returning r.id, r.state_version, r.status, r.reason, r.traceparent, j.judged_at
  ), told as (
    insert into request_timeline (request_id, at, type, detail)
    select updated.id, updated.judged_at, entry.value->>'type', (entry.value->>'detail')::json
    from updated
    join input on input.request_id = updated.id
    cross join lateral json_array_elements(input.timeline) with ordinality as entry
    order by updated.id, entry.ordinality
  ), closed as (
    update start_attempts a set closed_at = updated.judged_at, outcome = input.closed_attempt_outcome
    from updated join input on input.request_id = updated.id
    where a.id = input.closed_attempt_id and a.closed_at is null
  ), stored as (
    insert into outbox (id, exchange, routing_key, event)
    select input.event_id, 'assent.authorizations', input.routing_key,
      ${factEventSql({
        id: 'input.event_id',
        source: '$4::text',
        type: 'input.event_type',
        requestId: 'updated.id',
        time: 'updated.judged_at',
        traceparent: 'updated.traceparent',
        status: 'updated.status',
        reason: 'updated.reason',
        stateVersion: 'updated.state_version',
      })}
    from updated join input on input.request_id = updated.id
    where input.event_id is not null
    returning event->>'subject' as request_id, routing_key, event
  )
  select input.request_id, locked.status, locked.expires_at, locked.consumed_at, locked.consume_by, clock.judged_at,
    coalesce(judged.fenced, false) as fenced, updated.state_version as applied_version, stored.routing_key, stored.event
  from input
  cross join clock
  left join locked on locked.id = input.request_id
  left join judged on judged.request_id = input.request_id
  left join updated on updated.id = input.request_id
  left join stored on stored.request_id = input.request_id::text`,
);
