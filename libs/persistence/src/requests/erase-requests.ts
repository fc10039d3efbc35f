import type { CloudEvent, Decision } from '#lib/contracts';
import type { Evidence, ProviderError } from '#lib/domain';
import type { PoolClient } from 'pg';
import { hex } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { erasedDecision, erasedEvidence, erasedProviderError } from './erased-documents.js';
import { requestPlace } from './sealed-columns.js';

/** How many requests one transaction erases: its locks are short. */
export const erasePortion = 200;

/**
 * Takes away, in the caller's transaction, whatever names the person of these requests; outcome, times and request hash
 * stay. The caller holds their rows locked, and each has its decision.
 */
export async function eraseRequests(context: StoreContext, client: PoolClient, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await client.query<NamedRow>(selectNamed, [ids]);
  await client.query(eraseRows, [JSON.stringify(rows.map((row) => toInput(context, row)))]);
  await client.query(endDeliveries, [ids]);
  await client.query(forgetProblems, [ids]);
  await client.query(forgetJoined, [ids]);
  await client.query(waitForSealing);
  await client.query(forgetInAudit, [ids]);
}

interface NamedRow {
  readonly id: string;
  readonly evidence: Evidence | null;
  readonly late_evidence: Evidence | null;
  readonly provider_error: ProviderError | null;
  readonly decision: Decision | null;
  readonly event_id: string | null;
  readonly event: CloudEvent | null;
}

function toInput({ sealing }: StoreContext, row: NamedRow) {
  const decision = row.decision && erasedDecision(row.decision);
  return {
    id: row.id,
    // Sealed emptiness: these columns are never null.
    attributes: hex(sealing.seal('{}', requestPlace('attributes', row.id))),
    login_hint: hex(sealing.seal('', requestPlace('login_hint', row.id))),
    // Documents travel as text: what JSON may say and no text column can hold passes unread.
    evidence: row.evidence && JSON.stringify(erasedEvidence(row.evidence)),
    late_evidence: row.late_evidence && JSON.stringify(erasedEvidence(row.late_evidence)),
    provider_error: row.provider_error && JSON.stringify(erasedProviderError(row.provider_error)),
    decision: decision && JSON.stringify(decision),
    event_id: row.event_id,
    event: row.event && JSON.stringify({ ...row.event, data: decision }),
  };
}

const selectNamed = /* sql */ `
  select r.id, r.evidence, r.late_evidence, r.provider_error, d.document as decision, o.id as event_id, o.event
  from authorization_requests r
  left join decisions d on d.id = r.decision_id
  left join outbox o on o.id = d.event_id
  where r.id = any($1::uuid[])`;

// An idempotency key is kept for a day, with the hash of its body; so is the key of the call that used the approval.
const eraseRows = /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id uuid, attributes bytea, login_hint bytea, evidence text, late_evidence text, provider_error text, decision text,
      event_id uuid, event text)
  ), erased as (
    update authorization_requests r set
      attributes = input.attributes,
      login_hint = input.login_hint,
      user_code = null,
      subject_key = null,
      join_key = null,
      binding_message = null,
      metadata = '{}',
      callback_url = null,
      evidence = input.evidence::json,
      late_evidence = input.late_evidence::json,
      provider_error = input.provider_error::json,
      released_token = null,
      released_token_expires_at = null,
      -- Nobody can say any more what it was that was approved.
      consume_by = case when r.consumed_at is null and r.consume_by > clock_timestamp() then clock_timestamp() else r.consume_by end,
      idempotency_key = case when r.created_at < now() - interval '1 day' then null else r.idempotency_key end,
      consume_key = case when r.consumed_at < now() - interval '1 day' then null else r.consume_key end,
      body_hash = case when r.created_at < now() - interval '1 day' then '' else r.body_hash end,
      erased_at = clock_timestamp(),
      state_version = r.state_version + 1
    from input where r.id = input.id
    returning r.id, r.decision_id, r.erased_at
  ), decided as (
    update decisions d set document = input.decision::json
    from erased join input using (id) where d.id = erased.decision_id
  ), told as (
    update outbox o set event = input.event::json from input where o.id = input.event_id
  )
  insert into request_timeline (request_id, at, type, detail) select id, erased_at, 'erased', '{}' from erased`;

// The address of a callback is the caller's to write, and may name anybody.
const endDeliveries = /* sql */ `
  update deliveries set
    url = case when kind = 'callback' then regexp_replace(url, '^([^:]+://[^/?#]+).*$', '\\1/') else url end,
    state = case when state = 'pending' and kind = 'callback' then 'exhausted' else state end,
    next_attempt_at = case when kind = 'callback' then null else next_attempt_at end,
    lease_until = case when kind = 'callback' then null else lease_until end
  where request_id = any($1::uuid[])`;

const forgetProblems = /* sql */ `
  update delivery_attempts a set problem = 'erased'
  from deliveries d where a.delivery_id = d.id and d.request_id = any($1::uuid[]) and a.problem is not null`;

// Calls that were answered with one of these requests: their hash of the body tells what was asked, to whoever can guess.
const forgetJoined = /* sql */ `
  update joined_requests set forget_at = created_at + interval '1 day' where request_id = any($1::uuid[])`;

// Whoever is sealing may have read the subject already; whoever seals afterwards reads what has been erased.
const waitForSealing = 'select from audit_cursor for update';

const forgetInAudit = /* sql */ `
  update audit_events set personal = null, personal_salt = null
  where resource_id = any($1::text[]) and personal is not null`;
