import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The first schema. Times are kept to the millisecond, so that a `Date` survives the round trip unchanged. */
export class Initial1760000000000 implements MigrationInterface {
  readonly name = 'Initial1760000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
-- Which master keys have sealed something here; a key that cannot open its own check is the wrong key.
create table master_keys (
  id text constraint master_keys__id_pk primary key,
  sealed_check bytea not null,
  created_at timestamptz(3) not null default clock_timestamp()
);

create table token_providers (
  id uuid constraint token_providers__id_pk primary key,
  version integer not null default 1,
  name text not null constraint token_providers__name_key unique,
  issuer text not null,
  profile text not null,
  metadata json,
  trusted_certificates text[] not null default '{}',
  discovery_state text not null default 'not-tried'
    constraint token_providers__discovery_state_check check (discovery_state in ('not-tried', 'ok', 'failed', 'explicit')),
  discovery_checked_at timestamptz(3),
  discovery_problem text,
  created_at timestamptz(3) not null default clock_timestamp(),
  updated_at timestamptz(3) not null default clock_timestamp()
);

create table key_pairs (
  id uuid constraint key_pairs__id_pk primary key,
  version integer not null default 1,
  alias text not null constraint key_pairs__alias_key unique,
  certificate_chain text[] not null constraint key_pairs__certificate_chain_check check (cardinality(certificate_chain) > 0),
  private_key bytea not null,
  facts json not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  updated_at timestamptz(3) not null default clock_timestamp()
);

create table rejection_handlers (
  id uuid constraint rejection_handlers__id_pk primary key,
  version integer not null default 1,
  name text not null constraint rejection_handlers__name_key unique,
  predefined boolean not null default false,
  definition json not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  updated_at timestamptz(3) not null default clock_timestamp()
);

-- Every version that a rule ever had: a request keeps the one that it started under, also when the rule is gone.
create table rule_versions (
  rule_id uuid not null,
  version integer not null constraint rule_versions__version_check check (version > 0),
  definition json not null,
  token_provider_id uuid not null,
  key_pair_id uuid,
  client_secret bytea,
  created_at timestamptz(3) not null default clock_timestamp(),
  constraint rule_versions__rule_id_version_pk primary key (rule_id, version)
);

-- The rules as they are now.
create table rules (
  id uuid constraint rules__id_pk primary key,
  version integer not null default 1,
  name text not null constraint rules__name_key unique,
  token_provider_id uuid not null constraint rules__token_provider_id_fk references token_providers,
  key_pair_id uuid constraint rules__key_pair_id_fk references key_pairs,
  timeout_rejection_handler_id uuid constraint rules__timeout_rejection_handler_id_fk references rejection_handlers,
  deny_rejection_handler_id uuid constraint rules__deny_rejection_handler_id_fk references rejection_handlers,
  error_rejection_handler_id uuid constraint rules__error_rejection_handler_id_fk references rejection_handlers,
  client_secret_set_at timestamptz(3),
  created_at timestamptz(3) not null default clock_timestamp(),
  updated_at timestamptz(3) not null default clock_timestamp(),
  constraint rules__id_version_fk foreign key (id, version) references rule_versions (rule_id, version)
);

create table api_clients (
  id uuid constraint api_clients__id_pk primary key,
  version integer not null default 1,
  name text not null constraint api_clients__name_key unique,
  scopes text[] not null,
  key_hash bytea not null constraint api_clients__key_hash_key unique,
  key_prefix text not null,
  callback_secret bytea,
  created_at timestamptz(3) not null default clock_timestamp(),
  updated_at timestamptz(3) not null default clock_timestamp()
);

create table webhook_endpoints (
  id uuid constraint webhook_endpoints__id_pk primary key,
  version integer not null default 1,
  url text not null,
  events text[] not null,
  description text,
  enabled boolean not null,
  secret bytea not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  updated_at timestamptz(3) not null default clock_timestamp()
);

create table signing_keys (
  kid text constraint signing_keys__kid_pk primary key,
  use text not null constraint signing_keys__use_check check (use in ('client-assertion', 'request-object', 'receipt', 'callback')),
  alg text not null constraint signing_keys__alg_check check (alg in ('ES256', 'PS256', 'EdDSA')),
  public_jwk json not null,
  private_key bytea not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  -- Null: published ahead, and not used yet.
  activated_at timestamptz(3),
  retired_at timestamptz(3),
  constraint signing_keys__life_check check (retired_at is null or activated_at is not null)
);
create unique index signing_keys__current_key on signing_keys (use, alg) where activated_at is not null and retired_at is null;
create unique index signing_keys__next_key on signing_keys (use, alg) where activated_at is null;

-- The one table of legal moves, equal to the domain's; a test compares them.
create function authorization_request_may_move(from_status text, to_status text) returns boolean
  language sql immutable parallel safe
  return (from_status, to_status) in (
    ('requested', 'pending'), ('requested', 'denied'), ('requested', 'expired'), ('requested', 'cancelled'), ('requested', 'failed'),
    ('pending', 'approved'), ('pending', 'denied'), ('pending', 'expired'), ('pending', 'cancelled'), ('pending', 'failed')
  );

create table authorization_requests (
  id uuid constraint authorization_requests__id_pk primary key,
  shard smallint not null constraint authorization_requests__shard_check check (shard between 0 and 255),
  status text not null default 'requested'
    constraint authorization_requests__status_check
    check (status in ('requested', 'pending', 'approved', 'denied', 'expired', 'cancelled', 'failed')),
  state_version integer not null default 1,
  reason text,
  provider_error json,
  api_client_id uuid not null,
  idempotency_key text,
  body_hash bytea not null,
  rule_id uuid not null,
  rule_version integer not null,
  rule_name text not null,
  token_provider_id uuid not null,
  attributes bytea not null,
  login_hint bytea not null,
  user_code bytea,
  binding_message text,
  metadata json not null,
  callback_url text,
  request_hash text not null,
  traceparent text,
  created_at timestamptz(3) not null default clock_timestamp(),
  sent_at timestamptz(3),
  expires_at timestamptz(3),
  interval_seconds integer,
  -- When the provider first told, by ping or push, that an answer is there.
  pinged_at timestamptz(3),
  auth_req_id bytea,
  auth_req_id_sha256 bytea,
  evidence json,
  late_evidence json,
  id_token_sha256 text constraint authorization_requests__id_token_sha256_key unique,
  granted_scope text,
  released_token bytea,
  released_token_expires_at timestamptz(3),
  consume_by timestamptz(3),
  consumed_at timestamptz(3),
  consumed_by text,
  consume_key text,
  ended_at timestamptz(3),
  decision_id uuid,
  constraint authorization_requests__api_client_id_idempotency_key_key unique (api_client_id, idempotency_key),
  constraint authorization_requests__auth_req_id_sha256_key unique (token_provider_id, auth_req_id_sha256),
  constraint authorization_requests__reason_check check (
    case status
      when 'failed' then reason is not null and reason in (
        'unknown_user', 'provider_error', 'provider_rejected', 'configuration_error', 'invalid_evidence',
        'initiation_unknown', 'outcome_unknown')
      when 'denied' then reason is null or reason in ('provider_policy')
      else reason is null
    end),
  constraint authorization_requests__ended_at_check
    check ((ended_at is not null) = (status in ('approved', 'denied', 'expired', 'cancelled', 'failed'))),
  constraint authorization_requests__auth_req_id_check
    check ((auth_req_id is not null) = (status = 'pending')
      and (status not in ('pending', 'approved')
        or (auth_req_id_sha256 is not null and sent_at is not null and expires_at is not null and interval_seconds is not null))),
  constraint authorization_requests__user_code_check check (user_code is null or status = 'requested'),
  constraint authorization_requests__evidence_check
    check ((evidence is not null) = (status = 'approved')
      and (status <> 'approved' or (id_token_sha256 is not null and granted_scope is not null and consume_by is not null))),
  constraint authorization_requests__consumed_at_check
    check ((status = 'approved' or (consumed_at is null and consume_by is null and released_token is null))
      and (consumed_at is null or (consumed_by is not null and consumed_at <= consume_by))),
  constraint authorization_requests__decision_id_check check (decision_id is null or ended_at is not null)
) with (fillfactor = 80);
create index authorization_requests__api_client_id_id_ix on authorization_requests (api_client_id, id);
create index authorization_requests__requested_ix on authorization_requests (created_at) where status = 'requested';
create index authorization_requests__pending_ix on authorization_requests (shard) where status = 'pending';
create index authorization_requests__undecided_ix on authorization_requests (ended_at) where ended_at is not null and decision_id is null;
create index authorization_requests__released_ix on authorization_requests (released_token_expires_at) where released_token is not null;

create function guard_authorization_request() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    if new.status <> 'requested' then
      raise exception 'authorization request % cannot begin as %', new.id, new.status using errcode = 'integrity_constraint_violation';
    end if;
    return new;
  end if;
  if new.status <> old.status and not authorization_request_may_move(old.status, new.status) then
    raise exception 'authorization request % is % and cannot become %', old.id, old.status, new.status
      using errcode = 'integrity_constraint_violation';
  end if;
  if old.consumed_at is not null and new.consumed_at is distinct from old.consumed_at then
    raise exception 'authorization request % was consumed already', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if old.decision_id is not null and new.decision_id is distinct from old.decision_id then
    raise exception 'authorization request % was decided already', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if new.status <> old.status and new.state_version <= old.state_version then
    raise exception 'authorization request % must not change without a new version', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger authorization_requests__guard before insert or update on authorization_requests
  for each row execute function guard_authorization_request();

create table request_timeline (
  position bigint generated always as identity constraint request_timeline__position_pk primary key,
  request_id uuid not null,
  at timestamptz(3) not null default clock_timestamp(),
  type text not null,
  detail json not null
);
create index request_timeline__request_id_ix on request_timeline (request_id, position);

create table start_attempts (
  id uuid constraint start_attempts__id_pk primary key,
  request_id uuid not null,
  number integer not null,
  instance_id text not null,
  sent_at timestamptz(3) not null,
  lapses_at timestamptz(3) not null,
  -- Of the client notification token; the token itself is kept nowhere.
  notification_token_sha256 bytea,
  closed_at timestamptz(3),
  outcome text,
  constraint start_attempts__request_id_number_key unique (request_id, number),
  constraint start_attempts__outcome_check
    check ((outcome is null) = (closed_at is null)
      and outcome in ('acknowledged', 'refused', 'failed', 'unknown', 'not-accepted'))
);
create unique index start_attempts__open_key on start_attempts (request_id) where closed_at is null;
create unique index start_attempts__notification_token_sha256_key on start_attempts (notification_token_sha256)
  where notification_token_sha256 is not null;

-- Answers of the provider that wait for their verification.
create table held_answers (
  request_id uuid constraint held_answers__request_id_pk primary key
    constraint held_answers__request_id_fk references authorization_requests on delete cascade,
  answer bytea not null,
  received_at timestamptz(3) not null
);

create table outbox (
  id uuid constraint outbox__id_pk primary key,
  exchange text not null constraint outbox__exchange_check check (exchange in ('assent.authorizations', 'assent.decisions')),
  routing_key text not null,
  event json not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  -- When a sweep last tried in vain.
  tried_at timestamptz(3),
  published_at timestamptz(3)
);
create index outbox__unpublished_ix on outbox (tried_at nulls first, id) where published_at is null;
create index outbox__published_at_ix on outbox (published_at) where published_at is not null;

create table inbox (
  consumer text not null,
  event_id text not null,
  handled_at timestamptz(3) not null default clock_timestamp(),
  constraint inbox__consumer_event_id_pk primary key (consumer, event_id)
);
create index inbox__handled_at_ix on inbox (handled_at);

create table poller_shards (
  shard smallint constraint poller_shards__shard_pk primary key
    constraint poller_shards__shard_check check (shard between 0 and 255),
  owner text,
  epoch integer not null default 0,
  lease_until timestamptz(3) not null default 'epoch',
  unclean_takeover_at timestamptz(3)
);
insert into poller_shards (shard) select generate_series(0, 255);

create table poller_instances (
  id text constraint poller_instances__id_pk primary key,
  seen_until timestamptz(3) not null
);

-- The document is text, not jsonb: what is sent must be the same bytes every time.
create table decisions (
  id uuid constraint decisions__id_pk primary key,
  request_id uuid not null constraint decisions__request_id_key unique
    constraint decisions__request_id_fk references authorization_requests,
  outcome text not null
    constraint decisions__outcome_check check (outcome in ('approved', 'denied', 'expired', 'cancelled', 'failed')),
  document json not null,
  decided_at timestamptz(3) not null
);

create table deliveries (
  id uuid constraint deliveries__id_pk primary key default gen_random_uuid(),
  decision_id uuid not null constraint deliveries__decision_id_fk references decisions,
  request_id uuid not null,
  kind text not null constraint deliveries__kind_check check (kind in ('callback', 'webhook')),
  endpoint_id uuid,
  url text not null,
  target text not null,
  state text not null default 'pending' constraint deliveries__state_check check (state in ('pending', 'delivered', 'exhausted')),
  failed_attempts integer not null default 0,
  next_attempt_at timestamptz(3),
  lease_until timestamptz(3),
  created_at timestamptz(3) not null default clock_timestamp(),
  constraint deliveries__endpoint_id_check check ((endpoint_id is not null) = (kind = 'webhook')),
  constraint deliveries__next_attempt_at_check check ((next_attempt_at is not null) = (state = 'pending'))
);
create index deliveries__target_next_attempt_at_ix on deliveries (target, next_attempt_at) where state = 'pending';
create index deliveries__next_attempt_at_ix on deliveries (next_attempt_at) where state = 'pending';
create index deliveries__lease_until_ix on deliveries (lease_until) where lease_until is not null;
create index deliveries__request_id_ix on deliveries (request_id);
create index deliveries__endpoint_id_ix on deliveries (endpoint_id, created_at, id) where endpoint_id is not null;

create table delivery_attempts (
  position bigint generated always as identity constraint delivery_attempts__position_pk primary key,
  delivery_id uuid not null constraint delivery_attempts__delivery_id_fk references deliveries on delete cascade,
  at timestamptz(3) not null,
  duration_ms integer not null,
  status integer,
  problem text
);
create index delivery_attempts__delivery_id_ix on delivery_attempts (delivery_id, position);

insert into rejection_handlers (id, name, predefined, definition) values
  ('00000000-0000-7000-8000-000000000001', 'Default Web Rejection Handler', true, $json$${webHandler()}$json$),
  ('00000000-0000-7000-8000-000000000002', 'Default API Rejection Handler', true, $json$${apiHandler(403)}$json$),
  ('00000000-0000-7000-8000-000000000003', 'Default Rate Limiting Rejection Handler', true, $json$${apiHandler(429)}$json$);
`;

function webHandler(): string {
  const template = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>{{title}}</title>
    <style>
      :root { color-scheme: light dark; font: 100%/1.6 system-ui, sans-serif; }
      body { display: grid; min-height: 100vh; margin: 0; place-items: center; }
      main { max-width: 32rem; padding: 2rem; }
      h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
      small { opacity: .7; overflow-wrap: anywhere; }
    </style>
  </head>
  <body>
    <main>
      <h1>{{header}}</h1>
      <p>{{info}}</p>
      <small>Request {{requestId}}</small>
    </main>
  </body>
</html>
`;
  return JSON.stringify({ type: 'error-template', status: 403, contentType: 'text/html; charset=utf-8', template });
}

function apiHandler(status: 403 | 429): string {
  const template = '{"title":"{{title}}","outcome":"{{outcome}}","reason":"{{reason}}","requestId":"{{requestId}}"}';
  return JSON.stringify({ type: 'error-template', status, contentType: 'application/json', template });
}
