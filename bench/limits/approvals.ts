import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { serve } from '../harness/serve.js';

/** Compare and set with timeline and event in one statement, 256 rows each, two at a time; nothing is judged. */
export interface ApprovalsLimit {
  readonly databaseUrl: string;
}

const tables = /* sql */ `
  create table bench_requests (like authorization_requests including all);
  create table bench_timeline (like request_timeline including all);
  create table bench_outbox (like outbox including all)`;
const fill = /* sql */ `
  insert into bench_requests (id, shard, status, api_client_id, idempotency_key, body_hash, rule_id, rule_version, rule_name,
    token_provider_id, attributes, login_hint, metadata, request_hash, sent_at, expires_at, interval_seconds, auth_req_id,
    auth_req_id_sha256, subject_key)
  select id, 0, 'pending', id, id::text, '', id, 1, 'Approve a payment', id, decode(repeat('5a', 90), 'hex'),
    decode(repeat('5a', 60), 'hex'), '{}', 'hash', now(), now() + interval '2 hours', 5, decode(repeat('5a', 64), 'hex'),
    decode(md5(id::text), 'hex'), decode(md5(id::text), 'hex')
  from (select gen_random_uuid() as id from generate_series(1, $1::integer)) as made
  returning id`;
const approveRows = /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (id uuid, evidence json, id_token_sha256 text, event_id uuid)
  ), changed as (
    update bench_requests r set status = 'approved', state_version = r.state_version + 1, ended_at = clock_timestamp(),
      auth_req_id = null, evidence = input.evidence, id_token_sha256 = input.id_token_sha256, granted_scope = 'openid',
      consume_by = clock_timestamp() + interval '5 minutes'
    from input where r.id = input.id and r.status = 'pending' and r.expires_at > clock_timestamp()
    returning r.id, r.ended_at, input.event_id
  ), told as (
    insert into bench_timeline (request_id, at, type, detail) select id, ended_at, 'approved', '{}' from changed
  )
  insert into bench_outbox (id, exchange, routing_key, event)
  select event_id, 'assent.authorizations', 'authorization.approved', json_build_object(
    'specversion', '1.0', 'id', event_id, 'source', '/assent/bench', 'type', 'assent.authorization.approved.v1',
    'subject', id, 'time', ended_at, 'datacontenttype', 'application/json',
    'data', json_build_object('authorizationRequestId', id, 'status', 'approved'))
  from changed`;

let database: pg.Pool;

async function start({ databaseUrl }: ApprovalsLimit): Promise<void> {
  database = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  await database.query(tables);
}

async function pending(count: number): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(fill, [count]);
  await database.query('vacuum analyze bench_requests');
  return rows.map(({ id }) => id);
}

/** Answers how many have been approved. */
async function approve(ids: readonly string[]): Promise<number> {
  const left = [...ids];
  let approved = 0;
  const lane = async () => {
    while (left.length > 0) {
      const input = left.splice(0, 256).map((id) => ({
        id,
        evidence: {
          issuer: 'https://op.example',
          subject: randomUUID(),
          acr: null,
          amr: null,
          authTime: 1_760_000_000,
        },
        id_token_sha256: randomBytes(32).toString('base64url'),
        event_id: randomUUID(),
      }));
      const result = await database.query({ name: 'approve', text: approveRows, values: [JSON.stringify(input)] });
      approved += result.rowCount ?? 0;
    }
  };
  await Promise.all([lane(), lane()]);
  return approved;
}

serve({ start, pending, approve });
