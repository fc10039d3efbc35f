import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** Whose requests there are already, how many, and how they have ended. */
export interface BulkSeed {
  readonly databaseUrl: string;
  readonly count: number;
  readonly apiClientId: string;
  readonly ruleId: string;
  readonly ruleName: string;
  /** The oldest is so many days old; they are spread evenly from there until now. */
  readonly days: number;
  /** Whether they have timelines, three entries each. */
  readonly timelines: boolean;
}

/** The rule under which only the first few of all requests were asked. */
export const rareRule = 'A rule that is hardly used';

/**
 * Requests that have ended, with decisions and timelines, in numbers that the services would take minutes for. The rows
 * are of the same size as theirs; what is sealed in them is noise that nobody opens. Of a hundred requests ninety were
 * approved, six denied and four expired; of ten thousand one failed; persons are forgotten after ninety days; the oldest twenty were asked under a rare rule.
 */
export async function seedEnded(seed: BulkSeed): Promise<void> {
  const { databaseUrl, count, apiClientId, ruleId, ruleName, days, timelines } = seed;
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    // No triggers and no foreign keys: they let requests begin in their first status only.
    await database.query(`set session_replication_role = replica`);
    await database.query(`set synchronous_commit = off`);
    const rareRuleId = randomUUID();
    await database.query(insertRareRule, [ruleId, rareRule, rareRuleId]);
    await database.query(insertRequests, [count, days, apiClientId, ruleId, ruleName, rareRule, rareRuleId]);
    await database.query(insertDecisions);
    if (timelines) await database.query(insertTimelines);
    await database.query(passAudit);
  } finally {
    await database.end();
  }
  await vacuumed(databaseUrl);
}

async function vacuumed(databaseUrl: string): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  await database.query('vacuum (analyze, parallel 2)').finally(() => database.end());
}

/** What is not in the audit log yet is not purged. */
const passAudit = /* sql */ `
  update audit_cursor set through_position = last, next_position = last
  from (select coalesce(max(position), 0) as last from request_timeline) as told`;
const insertRareRule = /* sql */ `
  insert into rule_versions (rule_id, version, definition, token_provider_id)
  select $3::uuid, version, jsonb_set(definition::jsonb, '{name}', to_jsonb($2::text))::json, token_provider_id
  from rule_versions where rule_id = $1::uuid and version = 1`;
const insertRequests = /* sql */ `
  insert into authorization_requests (id, shard, status, state_version, reason, api_client_id, idempotency_key, body_hash,
    rule_id, rule_version, rule_name, token_provider_id, attributes, login_hint, binding_message, metadata, request_hash,
    created_at, sent_at, expires_at, interval_seconds, auth_req_id_sha256, evidence, id_token_sha256, granted_scope,
    consume_by, ended_at, decision_id, subject_key, erased_at)
  select id, at % 256, status, 4, case status when 'failed' then 'provider_error' end, $3::uuid,
    case when not erased then 'bulk-' || at end, case when erased then '' else noise end,
    case when at <= 20 then $7::uuid else $4::uuid end, 1, case when at <= 20 then $6 else $5 end, $4::uuid, noise || noise || noise, noise || noise,
    'Pay 25.00 EUR to Shop', '{}', 'hash', created_at, created_at, created_at + interval '2 minutes', 5, noise,
    case status when 'approved' then json_build_object('issuer', 'https://op.example', 'subject', id, 'acr', null,
      'amr', null, 'authTime', 1760000000, 'idTokenSha256', encode(noise, 'hex')) end,
    case status when 'approved' then encode(noise, 'hex') end, case status when 'approved' then 'openid' end,
    case status when 'approved' then created_at + interval '5 minutes' end, created_at + interval '20 seconds',
    gen_random_uuid(), case when not erased then noise end,
    case when erased then created_at + interval '90 days' end
  from (
    select at, sha256(('bulk' || at)::bytea) as noise,
      clock_timestamp() - ($1::integer - at) * ($2::float8 / $1::integer) * interval '1 day' as created_at,
      case when at % 10000 = 77 then 'failed' when at % 100 < 6 then 'denied' when at % 100 < 10 then 'expired'
        else 'approved' end as status,
      ($1::integer - at) * ($2::float8 / $1::integer) > 90 as erased
    from generate_series(1, $1::integer) as at
  ) as request, lateral (
    select (lpad(to_hex((extract(epoch from created_at) * 1000)::bigint), 12, '0') || '7'
      || lpad(to_hex(at % 4096), 3, '0') || '8' || substr(encode(noise, 'hex'), 1, 15))::uuid as id
  ) as named
  order by at`;
const insertDecisions = /* sql */ `
  insert into decisions (id, request_id, outcome, document, decided_at)
  select decision_id, id, status, json_build_object('id', decision_id, 'authorizationRequestId', id, 'outcome', status,
    'reason', reason, 'providerError', null, 'rule', json_build_object('id', rule_id, 'name', rule_name, 'version', 1),
    'decidedAt', to_char(ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'rejection', null,
    'evidence', evidence, 'receipt', case status when 'approved' then repeat('r', 640) end, 'requestHash', request_hash,
    'metadata', metadata), ended_at
  from authorization_requests order by id`;
const insertTimelines = /* sql */ `
  insert into request_timeline (request_id, at, type, detail)
  select id, created_at + step * interval '1 second', type, '{}'
  from authorization_requests,
    lateral (values (0, 'requested'), (1, 'initiated'), (20, status)) as entry (step, type)
  order by id, step`;
