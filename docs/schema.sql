-- The schema after all migrations, generated from a migrated database; a test compares them.
-- Change it by a migration in libs/persistence/src/migrations; UPDATE_SCHEMA=1 then makes the test write it.

create table api_clients (
  id uuid not null,
  version integer not null default 1,
  name text not null,
  scopes text[] not null,
  key_hash bytea not null,
  key_prefix text not null,
  callback_secret bytea,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  updated_at timestamp(3) with time zone not null default clock_timestamp(),
  enabled boolean not null default true,
  rules uuid[],
  subjects json,
  requests_per_minute integer,
  key_expires_at timestamp(3) with time zone,
  previous_key_hash bytea,
  previous_key_prefix text,
  previous_key_expires_at timestamp(3) with time zone,
  last_used_at timestamp(3) with time zone,
  oauth_issuer text,
  oauth_client_id text,
  constraint api_clients__id_pk PRIMARY KEY (id),
  constraint api_clients__key_hash_key UNIQUE (key_hash),
  constraint api_clients__name_key UNIQUE (name),
  constraint api_clients__oauth_client_key UNIQUE (oauth_issuer, oauth_client_id),
  constraint api_clients__previous_key_hash_key UNIQUE (previous_key_hash),
  constraint api_clients__oauth_client_check CHECK (((oauth_issuer IS NULL) = (oauth_client_id IS NULL))),
  constraint api_clients__previous_key_check CHECK ((((previous_key_hash IS NULL) = (previous_key_expires_at IS NULL)) AND ((previous_key_hash IS NULL) = (previous_key_prefix IS NULL))))
);

create table audit_cursor (
  single boolean not null default true,
  through_position bigint not null default 0,
  next_position bigint not null default 0,
  next_mark xid8 not null default '0'::xid8,
  constraint audit_cursor__single_pk PRIMARY KEY (single),
  constraint audit_cursor__single_check CHECK (single)
);

create table audit_events (
  id uuid not null,
  at timestamp(3) with time zone not null default clock_timestamp(),
  actor_type text not null,
  actor_id text,
  actor_name text,
  action text not null,
  resource_type text not null,
  resource_id text,
  resource_name text,
  request_id text,
  changes json,
  detail json,
  personal json,
  personal_salt text,
  personal_sha256 text,
  sequence bigint,
  hash text,
  constraint audit_events__id_pk PRIMARY KEY (id),
  constraint audit_events__sequence_key UNIQUE (sequence),
  constraint audit_events__actor_type_check CHECK ((actor_type = ANY (ARRAY['api-client'::text, 'bootstrap-key'::text, 'person'::text, 'provider'::text, 'system'::text, 'user'::text]))) NOT VALID,
  constraint audit_events__hash_check CHECK (((sequence IS NULL) = (hash IS NULL))),
  constraint audit_events__personal_check CHECK ((((personal IS NULL) = (personal_salt IS NULL)) AND ((personal IS NULL) OR (personal_sha256 IS NOT NULL))))
);
CREATE INDEX audit_events__actor_id_ix ON public.audit_events USING btree (actor_id, id);
CREATE INDEX audit_events__personal_ix ON public.audit_events USING btree (at) WHERE (personal IS NOT NULL);
CREATE INDEX audit_events__resource_id_ix ON public.audit_events USING btree (resource_id, id);
CREATE INDEX audit_events__unsealed_ix ON public.audit_events USING btree (id) WHERE (sequence IS NULL);

create table audit_heads (
  batch bigint not null,
  first_sequence bigint not null,
  last_sequence bigint not null,
  previous_hash text not null,
  hash text not null,
  sealed_at timestamp(3) with time zone not null,
  kid text not null,
  signature text not null,
  constraint audit_heads__batch_pk PRIMARY KEY (batch)
);

create table authorization_requests (
  id uuid not null,
  shard smallint not null,
  status text not null default 'requested'::text,
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
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  sent_at timestamp(3) with time zone,
  expires_at timestamp(3) with time zone,
  interval_seconds integer,
  pinged_at timestamp(3) with time zone,
  auth_req_id bytea,
  auth_req_id_sha256 bytea,
  evidence json,
  late_evidence json,
  id_token_sha256 text,
  granted_scope text,
  released_token bytea,
  released_token_expires_at timestamp(3) with time zone,
  consume_by timestamp(3) with time zone,
  consumed_at timestamp(3) with time zone,
  consumed_by text,
  consume_key text,
  ended_at timestamp(3) with time zone,
  decision_id uuid,
  subject_key bytea,
  join_key bytea,
  erased_at timestamp(3) with time zone,
  constraint authorization_requests__id_pk PRIMARY KEY (id),
  constraint authorization_requests__api_client_id_idempotency_key_key UNIQUE (api_client_id, idempotency_key),
  constraint authorization_requests__auth_req_id_sha256_key UNIQUE (token_provider_id, auth_req_id_sha256),
  constraint authorization_requests__id_token_sha256_key UNIQUE (id_token_sha256),
  constraint authorization_requests__auth_req_id_check CHECK ((((auth_req_id IS NOT NULL) = (status = 'pending'::text)) AND ((status <> ALL (ARRAY['pending'::text, 'approved'::text])) OR ((auth_req_id_sha256 IS NOT NULL) AND (sent_at IS NOT NULL) AND (expires_at IS NOT NULL) AND (interval_seconds IS NOT NULL))))),
  constraint authorization_requests__consumed_at_check CHECK ((((status = 'approved'::text) OR ((consumed_at IS NULL) AND (consume_by IS NULL) AND (released_token IS NULL))) AND ((consumed_at IS NULL) OR ((consumed_by IS NOT NULL) AND (consumed_at <= consume_by))))),
  constraint authorization_requests__decision_id_check CHECK (((decision_id IS NULL) OR (ended_at IS NOT NULL))),
  constraint authorization_requests__ended_at_check CHECK (((ended_at IS NOT NULL) = (status = ANY (ARRAY['approved'::text, 'denied'::text, 'expired'::text, 'cancelled'::text, 'failed'::text])))),
  constraint authorization_requests__evidence_check CHECK ((((evidence IS NOT NULL) = (status = 'approved'::text)) AND ((status <> 'approved'::text) OR ((id_token_sha256 IS NOT NULL) AND (granted_scope IS NOT NULL) AND (consume_by IS NOT NULL))))),
  constraint authorization_requests__reason_check CHECK (
CASE status
    WHEN 'failed'::text THEN ((reason IS NOT NULL) AND (reason = ANY (ARRAY['unknown_user'::text, 'provider_error'::text, 'provider_rejected'::text, 'configuration_error'::text, 'invalid_evidence'::text, 'initiation_unknown'::text, 'outcome_unknown'::text])))
    WHEN 'denied'::text THEN ((reason IS NULL) OR (reason = 'provider_policy'::text))
    ELSE (reason IS NULL)
END),
  constraint authorization_requests__shard_check CHECK (((shard >= 0) AND (shard <= 255))),
  constraint authorization_requests__status_check CHECK ((status = ANY (ARRAY['requested'::text, 'pending'::text, 'approved'::text, 'denied'::text, 'expired'::text, 'cancelled'::text, 'failed'::text]))),
  constraint authorization_requests__user_code_check CHECK (((user_code IS NULL) OR (status = 'requested'::text)))
);
CREATE INDEX authorization_requests__api_client_id_id_ix ON public.authorization_requests USING btree (api_client_id, id);
CREATE INDEX authorization_requests__erased_consume_key_ix ON public.authorization_requests USING btree (consumed_at) WHERE ((erased_at IS NOT NULL) AND (consume_key IS NOT NULL));
CREATE INDEX authorization_requests__erased_key_ix ON public.authorization_requests USING btree (created_at) WHERE ((erased_at IS NOT NULL) AND (idempotency_key IS NOT NULL));
CREATE INDEX authorization_requests__late_subject_ix ON public.authorization_requests USING btree (evidence_subject(late_evidence)) WHERE ((late_evidence IS NOT NULL) AND (erased_at IS NULL));
CREATE INDEX authorization_requests__named_ix ON public.authorization_requests USING btree (ended_at) WHERE ((ended_at IS NOT NULL) AND (erased_at IS NULL));
CREATE INDEX authorization_requests__pending_ix ON public.authorization_requests USING btree (shard) WHERE (status = 'pending'::text);
CREATE INDEX authorization_requests__released_ix ON public.authorization_requests USING btree (released_token_expires_at) WHERE (released_token IS NOT NULL);
CREATE INDEX authorization_requests__requested_ix ON public.authorization_requests USING btree (created_at) WHERE (status = 'requested'::text);
CREATE INDEX authorization_requests__rule_id_id_ix ON public.authorization_requests USING btree (rule_id, id);
CREATE INDEX authorization_requests__status_id_ix ON public.authorization_requests USING btree (status, id);
CREATE INDEX authorization_requests__subject_ix ON public.authorization_requests USING btree (evidence_subject(evidence)) WHERE ((evidence IS NOT NULL) AND (erased_at IS NULL));
CREATE INDEX authorization_requests__subject_key_created_at_ix ON public.authorization_requests USING btree (subject_key, created_at) WHERE (subject_key IS NOT NULL);
CREATE INDEX authorization_requests__undecided_ix ON public.authorization_requests USING btree (ended_at) WHERE ((ended_at IS NOT NULL) AND (decision_id IS NULL));

create table client_refusals (
  rule_id uuid not null,
  rule_version integer not null,
  call text not null,
  token_provider_id uuid not null,
  error text not null,
  pauses integer not null default 1,
  first_at timestamp(3) with time zone not null default clock_timestamp(),
  last_at timestamp(3) with time zone not null default clock_timestamp(),
  paused_until timestamp(3) with time zone not null,
  constraint client_refusals__rule_id_version_call_pk PRIMARY KEY (rule_id, rule_version, call),
  constraint client_refusals__call_check CHECK ((call = ANY (ARRAY['start'::text, 'poll'::text])))
);
CREATE INDEX client_refusals__token_provider_id_ix ON public.client_refusals USING btree (token_provider_id);

create table console_logins (
  secret_hash bytea not null,
  return_to text not null,
  expires_at timestamp with time zone not null,
  constraint console_logins__secret_hash_pk PRIMARY KEY (secret_hash)
);
CREATE INDEX console_logins__expires_at_ix ON public.console_logins USING btree (expires_at);

create table console_sessions (
  id uuid not null,
  secret_hash bytea not null,
  via text not null,
  role text not null,
  user_id text,
  user_name text not null,
  key_hash bytea,
  created_at timestamp with time zone not null default clock_timestamp(),
  idle_until timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint console_sessions__id_pk PRIMARY KEY (id),
  constraint console_sessions__secret_hash_key UNIQUE (secret_hash),
  constraint console_sessions__idle_until_check CHECK ((idle_until <= expires_at)),
  constraint console_sessions__key_hash_check CHECK (((key_hash IS NOT NULL) = (via = 'key'::text))),
  constraint console_sessions__role_check CHECK ((role = ANY (ARRAY['admin'::text, 'auditor'::text]))),
  constraint console_sessions__via_check CHECK ((via = ANY (ARRAY['key'::text, 'oidc'::text, 'open'::text])))
);
CREATE INDEX console_sessions__idle_until_ix ON public.console_sessions USING btree (idle_until);

create table decisions (
  id uuid not null,
  request_id uuid not null,
  outcome text not null,
  document json not null,
  decided_at timestamp(3) with time zone not null,
  event_id uuid,
  constraint decisions__id_pk PRIMARY KEY (id),
  constraint decisions__request_id_key UNIQUE (request_id),
  constraint decisions__outcome_check CHECK ((outcome = ANY (ARRAY['approved'::text, 'denied'::text, 'expired'::text, 'cancelled'::text, 'failed'::text]))),
  constraint decisions__request_id_fk FOREIGN KEY (request_id) REFERENCES authorization_requests(id)
);

create table deliveries (
  id uuid not null default gen_random_uuid(),
  decision_id uuid,
  request_id uuid,
  kind text not null,
  endpoint_id uuid,
  url text not null,
  target text not null,
  state text not null default 'pending'::text,
  failed_attempts integer not null default 0,
  next_attempt_at timestamp(3) with time zone,
  lease_until timestamp(3) with time zone,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  notice_id uuid,
  constraint deliveries__id_pk PRIMARY KEY (id),
  constraint deliveries__endpoint_id_check CHECK (((endpoint_id IS NOT NULL) = (kind = 'webhook'::text))),
  constraint deliveries__kind_check CHECK ((kind = ANY (ARRAY['callback'::text, 'webhook'::text]))),
  constraint deliveries__next_attempt_at_check CHECK (((next_attempt_at IS NOT NULL) = (state = 'pending'::text))),
  constraint deliveries__notice_id_check CHECK ((((decision_id IS NULL) = (notice_id IS NOT NULL)) AND ((request_id IS NULL) = (notice_id IS NOT NULL)))) NOT VALID,
  constraint deliveries__state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'exhausted'::text]))),
  constraint deliveries__decision_id_fk FOREIGN KEY (decision_id) REFERENCES decisions(id)
);
CREATE INDEX deliveries__decision_id_ix ON public.deliveries USING btree (decision_id);
CREATE INDEX deliveries__endpoint_id_ix ON public.deliveries USING btree (endpoint_id, created_at, id) WHERE (endpoint_id IS NOT NULL);
CREATE INDEX deliveries__lease_until_ix ON public.deliveries USING btree (lease_until) WHERE (lease_until IS NOT NULL);
CREATE INDEX deliveries__next_attempt_at_ix ON public.deliveries USING btree (next_attempt_at) WHERE (state = 'pending'::text);
CREATE INDEX deliveries__notice_id_ix ON public.deliveries USING btree (notice_id) WHERE (notice_id IS NOT NULL);
CREATE INDEX deliveries__over_ix ON public.deliveries USING btree (created_at) WHERE (state <> 'pending'::text);
CREATE INDEX deliveries__request_id_ix ON public.deliveries USING btree (request_id);
CREATE INDEX deliveries__target_next_attempt_at_ix ON public.deliveries USING btree (target, next_attempt_at) WHERE (state = 'pending'::text);

create table delivery_attempts (
  position bigint not null generated always as identity,
  delivery_id uuid not null,
  at timestamp(3) with time zone not null,
  duration_ms integer not null,
  status integer,
  problem text,
  constraint delivery_attempts__position_pk PRIMARY KEY ("position"),
  constraint delivery_attempts__delivery_id_fk FOREIGN KEY (delivery_id) REFERENCES deliveries(id) ON DELETE CASCADE
);
CREATE INDEX delivery_attempts__delivery_id_ix ON public.delivery_attempts USING btree (delivery_id, "position");

create table encryption_keys (
  kid text not null,
  alg text not null,
  public_jwk json not null,
  private_key bytea not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  retired_at timestamp(3) with time zone,
  constraint encryption_keys__kid_pk PRIMARY KEY (kid),
  constraint encryption_keys__alg_check CHECK ((alg = ANY (ARRAY['RSA-OAEP-256'::text, 'ECDH-ES'::text])))
);
CREATE UNIQUE INDEX encryption_keys__current_key ON public.encryption_keys USING btree (alg) WHERE (retired_at IS NULL);

create table erasures (
  id uuid not null,
  api_client_id uuid not null,
  erased integer not null,
  cancelled integer not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint erasures__id_pk PRIMARY KEY (id)
);

create table held_answers (
  request_id uuid not null,
  answer bytea not null,
  received_at timestamp(3) with time zone not null,
  constraint held_answers__request_id_pk PRIMARY KEY (request_id),
  constraint held_answers__request_id_fk FOREIGN KEY (request_id) REFERENCES authorization_requests(id) ON DELETE CASCADE
);

create table inbox (
  consumer text not null,
  event_id text not null,
  handled_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint inbox__consumer_event_id_pk PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox__handled_at_ix ON public.inbox USING btree (handled_at);

create table joined_requests (
  api_client_id uuid not null,
  idempotency_key text not null,
  body_hash bytea not null,
  request_id uuid not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  forget_at timestamp(3) with time zone,
  constraint joined_requests__api_client_id_idempotency_key_pk PRIMARY KEY (api_client_id, idempotency_key)
);
CREATE INDEX joined_requests__forget_at_ix ON public.joined_requests USING btree (forget_at) WHERE (forget_at IS NOT NULL);
CREATE INDEX joined_requests__request_id_ix ON public.joined_requests USING btree (request_id);

create table key_pair_warnings (
  key_pair_id uuid not null,
  sha256_fingerprint text not null,
  days integer not null,
  told_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint key_pair_warnings__key_pair_id_sha256_fingerprint_days_pk PRIMARY KEY (key_pair_id, sha256_fingerprint, days),
  constraint key_pair_warnings__key_pair_id_fk FOREIGN KEY (key_pair_id) REFERENCES key_pairs(id) ON DELETE CASCADE
);

create table key_pairs (
  id uuid not null,
  version integer not null default 1,
  alias text not null,
  certificate_chain text[] not null,
  private_key bytea not null,
  facts json not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  updated_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint key_pairs__id_pk PRIMARY KEY (id),
  constraint key_pairs__alias_key UNIQUE (alias),
  constraint key_pairs__certificate_chain_check CHECK ((cardinality(certificate_chain) > 0))
);

create table lookup_keys (
  name text not null,
  sealed_key bytea not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint lookup_keys__name_pk PRIMARY KEY (name)
);

create table master_keys (
  id text not null,
  sealed_check bytea not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  resealed_at timestamp(3) with time zone,
  constraint master_keys__id_pk PRIMARY KEY (id)
);

create table outbox (
  id uuid not null,
  exchange text not null,
  routing_key text not null,
  event json not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  tried_at timestamp(3) with time zone,
  published_at timestamp(3) with time zone,
  constraint outbox__id_pk PRIMARY KEY (id),
  constraint outbox__exchange_check CHECK ((exchange = ANY (ARRAY['assent.authorizations'::text, 'assent.decisions'::text])))
);
CREATE INDEX outbox__published_at_ix ON public.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox__unpublished_ix ON public.outbox USING btree (tried_at NULLS FIRST, id) WHERE (published_at IS NULL);

create table poller_instances (
  id text not null,
  seen_until timestamp(3) with time zone not null,
  constraint poller_instances__id_pk PRIMARY KEY (id)
);

create table poller_shards (
  shard smallint not null,
  owner text,
  epoch integer not null default 0,
  lease_until timestamp(3) with time zone not null default '1970-01-01 00:00:00+00'::timestamp with time zone,
  unclean_takeover_at timestamp(3) with time zone,
  constraint poller_shards__shard_pk PRIMARY KEY (shard),
  constraint poller_shards__shard_check CHECK (((shard >= 0) AND (shard <= 255)))
);

create table prompt_meters (
  kind text not null,
  id uuid not null,
  minute timestamp(3) with time zone not null default '1970-01-01 00:00:00+00'::timestamp with time zone,
  used integer not null default 0,
  constraint prompt_meters__kind_id_pk PRIMARY KEY (kind, id),
  constraint prompt_meters__kind_check CHECK ((kind = ANY (ARRAY['client'::text, 'rule'::text])))
);

create table rejection_handlers (
  id uuid not null,
  version integer not null default 1,
  name text not null,
  predefined boolean not null default false,
  definition json not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  updated_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint rejection_handlers__id_pk PRIMARY KEY (id),
  constraint rejection_handlers__name_key UNIQUE (name)
);

create table request_timeline (
  position bigint not null generated always as identity,
  request_id uuid not null,
  at timestamp(3) with time zone not null default clock_timestamp(),
  type text not null,
  detail json not null,
  constraint request_timeline__position_pk PRIMARY KEY ("position")
);
CREATE INDEX request_timeline__request_id_ix ON public.request_timeline USING btree (request_id, "position");

create table rule_versions (
  rule_id uuid not null,
  version integer not null,
  definition json not null,
  token_provider_id uuid not null,
  key_pair_id uuid,
  client_secret bytea,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  unsigned_fapi boolean not null default false,
  constraint rule_versions__rule_id_version_pk PRIMARY KEY (rule_id, version),
  constraint rule_versions__version_check CHECK ((version > 0))
);

create table rules (
  id uuid not null,
  version integer not null default 1,
  name text not null,
  token_provider_id uuid not null,
  key_pair_id uuid,
  timeout_rejection_handler_id uuid,
  deny_rejection_handler_id uuid,
  error_rejection_handler_id uuid,
  client_secret_set_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  updated_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint rules__id_pk PRIMARY KEY (id),
  constraint rules__name_key UNIQUE (name),
  constraint rules__deny_rejection_handler_id_fk FOREIGN KEY (deny_rejection_handler_id) REFERENCES rejection_handlers(id),
  constraint rules__error_rejection_handler_id_fk FOREIGN KEY (error_rejection_handler_id) REFERENCES rejection_handlers(id),
  constraint rules__id_version_fk FOREIGN KEY (id, version) REFERENCES rule_versions(rule_id, version),
  constraint rules__key_pair_id_fk FOREIGN KEY (key_pair_id) REFERENCES key_pairs(id),
  constraint rules__timeout_rejection_handler_id_fk FOREIGN KEY (timeout_rejection_handler_id) REFERENCES rejection_handlers(id),
  constraint rules__token_provider_id_fk FOREIGN KEY (token_provider_id) REFERENCES token_providers(id)
);

create table schema_floor (
  single boolean not null default true,
  level bigint not null,
  constraint schema_floor__single_pk PRIMARY KEY (single),
  constraint schema_floor__single_check CHECK (single)
);

create table signing_keys (
  kid text not null,
  use text not null,
  alg text not null,
  public_jwk json not null,
  private_key bytea not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  activated_at timestamp(3) with time zone,
  retired_at timestamp(3) with time zone,
  constraint signing_keys__kid_pk PRIMARY KEY (kid),
  constraint signing_keys__alg_check CHECK ((alg = ANY (ARRAY['ES256'::text, 'PS256'::text, 'EdDSA'::text]))),
  constraint signing_keys__life_check CHECK (((retired_at IS NULL) OR (activated_at IS NOT NULL))),
  constraint signing_keys__use_check CHECK ((use = ANY (ARRAY['client-assertion'::text, 'request-object'::text, 'receipt'::text, 'callback'::text, 'audit'::text])))
);
CREATE UNIQUE INDEX signing_keys__current_key ON public.signing_keys USING btree (use, alg) WHERE ((activated_at IS NOT NULL) AND (retired_at IS NULL));
CREATE UNIQUE INDEX signing_keys__next_key ON public.signing_keys USING btree (use, alg) WHERE (activated_at IS NULL);

create table start_attempts (
  id uuid not null,
  request_id uuid not null,
  number integer not null,
  instance_id text not null,
  sent_at timestamp(3) with time zone not null,
  lapses_at timestamp(3) with time zone not null,
  notification_token_sha256 bytea,
  closed_at timestamp(3) with time zone,
  outcome text,
  constraint start_attempts__id_pk PRIMARY KEY (id),
  constraint start_attempts__request_id_number_key UNIQUE (request_id, number),
  constraint start_attempts__outcome_check CHECK ((((outcome IS NULL) = (closed_at IS NULL)) AND (outcome = ANY (ARRAY['acknowledged'::text, 'refused'::text, 'failed'::text, 'unknown'::text, 'not-accepted'::text]))))
);
CREATE UNIQUE INDEX start_attempts__notification_token_sha256_key ON public.start_attempts USING btree (notification_token_sha256) WHERE (notification_token_sha256 IS NOT NULL);
CREATE UNIQUE INDEX start_attempts__open_key ON public.start_attempts USING btree (request_id) WHERE (closed_at IS NULL);

create table token_providers (
  id uuid not null,
  version integer not null default 1,
  name text not null,
  issuer text not null,
  profile text not null,
  metadata json,
  trusted_certificates text[] not null default '{}'::text[],
  discovery_state text not null default 'not-tried'::text,
  discovery_checked_at timestamp(3) with time zone,
  discovery_problem text,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  updated_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint token_providers__id_pk PRIMARY KEY (id),
  constraint token_providers__name_key UNIQUE (name),
  constraint token_providers__discovery_state_check CHECK ((discovery_state = ANY (ARRAY['not-tried'::text, 'ok'::text, 'failed'::text, 'explicit'::text])))
);

create table webhook_endpoints (
  id uuid not null,
  version integer not null default 1,
  url text not null,
  events text[] not null,
  description text,
  enabled boolean not null,
  secret bytea not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  updated_at timestamp(3) with time zone not null default clock_timestamp(),
  previous_secret bytea,
  previous_secret_until timestamp(3) with time zone,
  disabled_reason text,
  disabled_at timestamp(3) with time zone,
  failing_since timestamp(3) with time zone,
  name text,
  constraint webhook_endpoints__id_pk PRIMARY KEY (id),
  constraint webhook_endpoints__disabled_check CHECK (((disabled_reason IS NULL) = (disabled_at IS NULL))),
  constraint webhook_endpoints__disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY['gone'::text, 'failing'::text]))),
  constraint webhook_endpoints__previous_secret_check CHECK (((previous_secret IS NULL) = (previous_secret_until IS NULL)))
);
CREATE UNIQUE INDEX webhook_endpoints__name_key ON public.webhook_endpoints USING btree (name);

create table webhook_notices (
  id uuid not null,
  type text not null,
  data json not null,
  occurred_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint webhook_notices__id_pk PRIMARY KEY (id)
);
CREATE INDEX webhook_notices__occurred_at_ix ON public.webhook_notices USING btree (occurred_at);

CREATE OR REPLACE FUNCTION public.admit_prompts(persons bytea[], clients uuid[], rules uuid[], asks json)
 RETURNS TABLE(id uuid, verdict text, other_id uuid, within_batch boolean, exceeded text, quota integer, window_seconds integer, retry_after_seconds integer)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  at timestamptz;
  this_minute timestamptz;
  ask record;
  fact record;
  known_keys boolean[] := array[]::boolean[];
  joins uuid[] := array[]::uuid[];
  has_turn boolean[] := array[]::boolean[];
  open_count integer[] := array[]::integer[];
  open_until timestamptz[] := array[]::timestamptz[];
  five_count integer[] := array[]::integer[];
  five_since timestamptz[] := array[]::timestamptz[];
  hour_count integer[] := array[]::integer[];
  hour_since timestamptz[] := array[]::timestamptz[];
  denied_at timestamptz[] := array[]::timestamptz[];
  client_used integer[] := array[]::integer[];
  rule_used integer[] := array[]::integer[];
  free_at timestamptz;
begin
  -- One at a time per person; everybody takes the turns in the same order. Nobody waits for the turn of a person who has
  -- no room left: whoever tries one person again and again holds up nobody else.
  for fact in
    select ('x' || encode(substring(person.key from 1 for 8), 'hex'))::bit(64)::bigint as turn, person.key, person.n
    from unnest(persons) with ordinality as person (key, n) order by turn, person.n
  loop
    has_turn[fact.n] := pg_try_advisory_xact_lock(fact.turn) or exists (
      select from json_to_recordset(asks) as a (
        person_no integer, join_no integer, outstanding integer, per_five_minutes integer, per_hour integer,
        cool_down_seconds integer)
      cross join prompt_facts(array[fact.key]) as f
      where a.person_no = fact.n and (a.join_no is not null or not (
        (a.outstanding > 0 and f.open_count >= a.outstanding)
        or (a.per_five_minutes > 0 and f.five_count >= a.per_five_minutes)
        or (a.per_hour > 0 and f.hour_count >= a.per_hour)
        or (a.cool_down_seconds > 0 and f.denied_at is not null
          and f.denied_at + make_interval(secs => a.cool_down_seconds) > clock_timestamp()))));
    if has_turn[fact.n] then perform pg_advisory_xact_lock(fact.turn); end if;
  end loop;
  if cardinality(clients) + cardinality(rules) > 0 then
    insert into prompt_meters (kind, id)
    select kind, meter from (
      select 'client' as kind, unnest(clients) as meter union all select 'rule', unnest(rules)
    ) as wanted order by kind, meter
    on conflict do nothing;
    perform from prompt_meters m
    where (m.kind = 'client' and m.id = any(clients)) or (m.kind = 'rule' and m.id = any(rules))
    order by m.kind, m.id for update;
  end if;

  at := clock_timestamp();
  this_minute := date_trunc('minute', at);
  for fact in select * from prompt_facts(persons) loop
    open_count[fact.n] := fact.open_count;
    open_until[fact.n] := fact.open_until;
    five_count[fact.n] := fact.five_count;
    five_since[fact.n] := fact.five_since;
    hour_count[fact.n] := fact.hour_count;
    hour_since[fact.n] := fact.hour_since;
    denied_at[fact.n] := fact.denied_at;
  end loop;
  for fact in
    select meter.n, m.used, m.minute from unnest(clients) with ordinality as meter (id, n)
    join prompt_meters m on m.kind = 'client' and m.id = meter.id
  loop
    client_used[fact.n] := case when fact.minute = this_minute then fact.used else 0 end;
  end loop;
  for fact in
    select meter.n, m.used, m.minute from unnest(rules) with ordinality as meter (id, n)
    join prompt_meters m on m.kind = 'rule' and m.id = meter.id
  loop
    rule_used[fact.n] := case when fact.minute = this_minute then fact.used else 0 end;
  end loop;

  for ask in
    select a.*, a.idempotency_key is not null and (
        exists (select from authorization_requests k
          where k.api_client_id = a.api_client_id and k.idempotency_key = a.idempotency_key)
        or exists (select from joined_requests k
          where k.api_client_id = a.api_client_id and k.idempotency_key = a.idempotency_key)) as known,
      case when a.join_key is not null then (
        select q.id from authorization_requests q
        where q.subject_key = persons[a.person_no] and q.join_key = a.join_key and q.ended_at is null
          and q.created_at > at - interval '5 days'
        order by q.created_at limit 1) end as waiting_id
    from json_to_recordset(asks) as a (
      n integer, id uuid, api_client_id uuid, idempotency_key text, join_key bytea, key_no integer, person_no integer,
      join_no integer, client_no integer, rule_no integer, outstanding integer, per_five_minutes integer,
      per_hour integer, cool_down_seconds integer, client_per_minute integer, rule_per_minute integer)
    order by a.n
  loop
    id := ask.id;
    verdict := 'admitted';
    other_id := null;
    within_batch := false;
    exceeded := null;
    quota := null;
    window_seconds := null;
    retry_after_seconds := null;
    free_at := null;
    if ask.known or coalesce(known_keys[ask.key_no], false) then
      verdict := 'repeated';
    elsif ask.waiting_id is not null then
      verdict := 'joined';
      other_id := ask.waiting_id;
    elsif joins[ask.join_no] is not null then
      verdict := 'joined';
      other_id := joins[ask.join_no];
      within_batch := true;
    elsif ask.cool_down_seconds > 0 and denied_at[ask.person_no] + make_interval(secs => ask.cool_down_seconds) > at then
      exceeded := 'cool-down';
      quota := 0;
      window_seconds := ask.cool_down_seconds;
      free_at := denied_at[ask.person_no] + make_interval(secs => ask.cool_down_seconds);
    elsif ask.per_hour > 0 and hour_count[ask.person_no] >= ask.per_hour then
      exceeded := 'hour';
      quota := ask.per_hour;
      window_seconds := 3600;
      free_at := coalesce(hour_since[ask.person_no], at) + interval '1 hour';
    elsif ask.per_five_minutes > 0 and five_count[ask.person_no] >= ask.per_five_minutes then
      exceeded := 'five-minutes';
      quota := ask.per_five_minutes;
      window_seconds := 300;
      free_at := coalesce(five_since[ask.person_no], at) + interval '5 minutes';
    elsif ask.outstanding > 0 and open_count[ask.person_no] >= ask.outstanding then
      exceeded := 'outstanding';
      quota := ask.outstanding;
      -- Somebody may answer at any moment.
      free_at := least(open_until[ask.person_no], at + interval '30 seconds');
    elsif ask.client_per_minute > 0 and client_used[ask.client_no] >= ask.client_per_minute then
      exceeded := 'client';
      quota := ask.client_per_minute;
      window_seconds := 60;
      free_at := this_minute + interval '1 minute';
    elsif ask.rule_per_minute > 0 and rule_used[ask.rule_no] >= ask.rule_per_minute then
      exceeded := 'rule';
      quota := ask.rule_per_minute;
      window_seconds := 60;
      free_at := this_minute + interval '1 minute';
    elsif ask.person_no is not null and not has_turn[ask.person_no] then
      -- There was no room a moment ago.
      exceeded := 'outstanding';
      quota := ask.outstanding;
      free_at := at;
    end if;
    if exceeded is not null then
      verdict := 'refused';
      retry_after_seconds := greatest(1, ceil(extract(epoch from free_at - at)))::integer;
    elsif verdict = 'admitted' then
      if ask.person_no is not null then
        open_count[ask.person_no] := open_count[ask.person_no] + 1;
        five_count[ask.person_no] := five_count[ask.person_no] + 1;
        hour_count[ask.person_no] := hour_count[ask.person_no] + 1;
      end if;
      if ask.client_no is not null then client_used[ask.client_no] := client_used[ask.client_no] + 1; end if;
      if ask.rule_no is not null then rule_used[ask.rule_no] := rule_used[ask.rule_no] + 1; end if;
      if ask.join_no is not null then joins[ask.join_no] := ask.id; end if;
    end if;
    if ask.key_no is not null and verdict in ('admitted', 'joined') then known_keys[ask.key_no] := true; end if;
    return next;
  end loop;

  if cardinality(clients) + cardinality(rules) > 0 then
    update prompt_meters m set minute = this_minute, used = wanted.used
    from (
      select 'client' as kind, clients[n] as id, client_used[n] as used from generate_subscripts(clients, 1) as n
      union all
      select 'rule', rules[n], rule_used[n] from generate_subscripts(rules, 1) as n
    ) as wanted
    where m.kind = wanted.kind and m.id = wanted.id and (m.minute, m.used) is distinct from (this_minute, wanted.used);
  end if;
end $function$
;

CREATE OR REPLACE FUNCTION public.admit_requests(persons bytea[], clients uuid[], rules uuid[], asks json)
 RETURNS TABLE(id uuid, verdict text, other_id uuid, within_batch boolean, exceeded text, quota integer, window_seconds integer, retry_after_seconds integer, outstanding_left integer, five_minutes_left integer, hour_left integer, client_left integer, rule_left integer)
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
#variable_conflict use_column
declare
  at timestamptz;
  this_minute timestamptz;
  ask record;
  fact record;
  known_keys boolean[] := array[]::boolean[];
  joins uuid[] := array[]::uuid[];
  has_turn boolean[] := array[]::boolean[];
  open_count integer[] := array[]::integer[];
  open_until timestamptz[] := array[]::timestamptz[];
  five_count integer[] := array[]::integer[];
  five_since timestamptz[] := array[]::timestamptz[];
  hour_count integer[] := array[]::integer[];
  hour_since timestamptz[] := array[]::timestamptz[];
  denied_at timestamptz[] := array[]::timestamptz[];
  client_used integer[] := array[]::integer[];
  rule_used integer[] := array[]::integer[];
  free_at timestamptz;
begin
  -- One at a time per person; everybody takes the turns in the same order. Nobody waits for the turn of a person who has
  -- no room left: whoever tries one person again and again holds up nobody else.
  for fact in
    select ('x' || encode(substring(person.key from 1 for 8), 'hex'))::bit(64)::bigint as turn, person.key, person.n
    from unnest(persons) with ordinality as person (key, n) order by turn, person.n
  loop
    has_turn[fact.n] := pg_try_advisory_xact_lock(fact.turn) or exists (
      select from json_to_recordset(asks) as a (
        person_no integer, join_no integer, outstanding integer, per_five_minutes integer, per_hour integer,
        cool_down_seconds integer)
      cross join prompt_facts(array[fact.key]) as f
      where a.person_no = fact.n and (a.join_no is not null or not (
        (a.outstanding > 0 and f.open_count >= a.outstanding)
        or (a.per_five_minutes > 0 and f.five_count >= a.per_five_minutes)
        or (a.per_hour > 0 and f.hour_count >= a.per_hour)
        or (a.cool_down_seconds > 0 and f.denied_at is not null
          and f.denied_at + make_interval(secs => a.cool_down_seconds) > clock_timestamp()))));
    if has_turn[fact.n] then perform pg_advisory_xact_lock(fact.turn); end if;
  end loop;
  if cardinality(clients) + cardinality(rules) > 0 then
    insert into prompt_meters (kind, id)
    select kind, meter from (
      select 'client' as kind, unnest(clients) as meter union all select 'rule', unnest(rules)
    ) as wanted order by kind, meter
    on conflict do nothing;
    perform from prompt_meters m
    where (m.kind = 'client' and m.id = any(clients)) or (m.kind = 'rule' and m.id = any(rules))
    order by m.kind, m.id for update;
  end if;

  at := clock_timestamp();
  this_minute := date_trunc('minute', at);
  for fact in select * from prompt_facts(persons) loop
    open_count[fact.n] := fact.open_count;
    open_until[fact.n] := fact.open_until;
    five_count[fact.n] := fact.five_count;
    five_since[fact.n] := fact.five_since;
    hour_count[fact.n] := fact.hour_count;
    hour_since[fact.n] := fact.hour_since;
    denied_at[fact.n] := fact.denied_at;
  end loop;
  for fact in
    select meter.n, m.used, m.minute from unnest(clients) with ordinality as meter (id, n)
    join prompt_meters m on m.kind = 'client' and m.id = meter.id
  loop
    client_used[fact.n] := case when fact.minute = this_minute then fact.used else 0 end;
  end loop;
  for fact in
    select meter.n, m.used, m.minute from unnest(rules) with ordinality as meter (id, n)
    join prompt_meters m on m.kind = 'rule' and m.id = meter.id
  loop
    rule_used[fact.n] := case when fact.minute = this_minute then fact.used else 0 end;
  end loop;

  for ask in
    select a.*, a.idempotency_key is not null and (
        coalesce((
          select (k.api_client_id, k.idempotency_key) = (a.api_client_id, a.idempotency_key)
          from (
            select r.api_client_id, r.idempotency_key from authorization_requests r
            where (r.api_client_id, r.idempotency_key) >= (a.api_client_id, a.idempotency_key)
            order by r.api_client_id, r.idempotency_key limit 1) k), false)
        or coalesce((
          select (k.api_client_id, k.idempotency_key) = (a.api_client_id, a.idempotency_key)
          from (
            select r.api_client_id, r.idempotency_key from joined_requests r
            where (r.api_client_id, r.idempotency_key) >= (a.api_client_id, a.idempotency_key)
            order by r.api_client_id, r.idempotency_key limit 1) k), false)) as known,
      case when a.join_key is not null then (
        select q.id from authorization_requests q
        where q.subject_key = persons[a.person_no] and q.join_key = a.join_key and q.ended_at is null
          and q.created_at > at - interval '5 days'
        order by q.created_at limit 1) end as waiting_id
    from json_to_recordset(asks) as a (
      n integer, id uuid, api_client_id uuid, idempotency_key text, join_key bytea, key_no integer, person_no integer,
      join_no integer, client_no integer, rule_no integer, outstanding integer, per_five_minutes integer,
      per_hour integer, cool_down_seconds integer, client_per_minute integer, rule_per_minute integer)
    order by a.n
  loop
    id := ask.id;
    verdict := 'admitted';
    other_id := null;
    within_batch := false;
    exceeded := null;
    quota := null;
    window_seconds := null;
    retry_after_seconds := null;
    outstanding_left := null;
    five_minutes_left := null;
    hour_left := null;
    client_left := null;
    rule_left := null;
    free_at := null;
    if ask.known or coalesce(known_keys[ask.key_no], false) then
      verdict := 'repeated';
    elsif ask.waiting_id is not null then
      verdict := 'joined';
      other_id := ask.waiting_id;
    elsif joins[ask.join_no] is not null then
      verdict := 'joined';
      other_id := joins[ask.join_no];
      within_batch := true;
    elsif ask.cool_down_seconds > 0 and denied_at[ask.person_no] + make_interval(secs => ask.cool_down_seconds) > at then
      exceeded := 'cool-down';
      quota := 0;
      window_seconds := ask.cool_down_seconds;
      free_at := denied_at[ask.person_no] + make_interval(secs => ask.cool_down_seconds);
    elsif ask.per_hour > 0 and hour_count[ask.person_no] >= ask.per_hour then
      exceeded := 'hour';
      quota := ask.per_hour;
      window_seconds := 3600;
      free_at := coalesce(hour_since[ask.person_no], at) + interval '1 hour';
    elsif ask.per_five_minutes > 0 and five_count[ask.person_no] >= ask.per_five_minutes then
      exceeded := 'five-minutes';
      quota := ask.per_five_minutes;
      window_seconds := 300;
      free_at := coalesce(five_since[ask.person_no], at) + interval '5 minutes';
    elsif ask.outstanding > 0 and open_count[ask.person_no] >= ask.outstanding then
      exceeded := 'outstanding';
      quota := ask.outstanding;
      -- Somebody may answer at any moment.
      free_at := least(open_until[ask.person_no], at + interval '30 seconds');
    elsif ask.client_per_minute > 0 and client_used[ask.client_no] >= ask.client_per_minute then
      exceeded := 'client';
      quota := ask.client_per_minute;
      window_seconds := 60;
      free_at := this_minute + interval '1 minute';
    elsif ask.rule_per_minute > 0 and rule_used[ask.rule_no] >= ask.rule_per_minute then
      exceeded := 'rule';
      quota := ask.rule_per_minute;
      window_seconds := 60;
      free_at := this_minute + interval '1 minute';
    elsif ask.person_no is not null and not has_turn[ask.person_no] then
      -- There was no room a moment ago.
      exceeded := 'outstanding';
      quota := ask.outstanding;
      free_at := at;
    end if;
    if exceeded is not null then
      verdict := 'refused';
      retry_after_seconds := greatest(1, ceil(extract(epoch from free_at - at)))::integer;
    elsif verdict = 'admitted' then
      if ask.person_no is not null then
        open_count[ask.person_no] := open_count[ask.person_no] + 1;
        five_count[ask.person_no] := five_count[ask.person_no] + 1;
        hour_count[ask.person_no] := hour_count[ask.person_no] + 1;
      end if;
      if ask.client_no is not null then client_used[ask.client_no] := client_used[ask.client_no] + 1; end if;
      if ask.rule_no is not null then rule_used[ask.rule_no] := rule_used[ask.rule_no] + 1; end if;
      if ask.join_no is not null then joins[ask.join_no] := ask.id; end if;
      if ask.outstanding > 0 then outstanding_left := ask.outstanding - open_count[ask.person_no]; end if;
      if ask.per_five_minutes > 0 then five_minutes_left := ask.per_five_minutes - five_count[ask.person_no]; end if;
      if ask.per_hour > 0 then hour_left := ask.per_hour - hour_count[ask.person_no]; end if;
      if ask.client_per_minute > 0 then client_left := ask.client_per_minute - client_used[ask.client_no]; end if;
      if ask.rule_per_minute > 0 then rule_left := ask.rule_per_minute - rule_used[ask.rule_no]; end if;
    end if;
    if ask.key_no is not null and verdict in ('admitted', 'joined') then known_keys[ask.key_no] := true; end if;
    return next;
  end loop;

  if cardinality(clients) + cardinality(rules) > 0 then
    update prompt_meters m set minute = this_minute, used = wanted.used
    from (
      select 'client' as kind, clients[n] as id, client_used[n] as used from generate_subscripts(clients, 1) as n
      union all
      select 'rule', rules[n], rule_used[n] from generate_subscripts(rules, 1) as n
    ) as wanted
    where m.kind = wanted.kind and m.id = wanted.id and (m.minute, m.used) is distinct from (this_minute, wanted.used);
  end if;
end $function$
;

CREATE OR REPLACE FUNCTION public.authorization_request_may_move(from_status text, to_status text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (((((((((((from_status = 'requested'::text) AND (to_status = 'pending'::text)) OR ((from_status = 'requested'::text) AND (to_status = 'denied'::text))) OR ((from_status = 'requested'::text) AND (to_status = 'expired'::text))) OR ((from_status = 'requested'::text) AND (to_status = 'cancelled'::text))) OR ((from_status = 'requested'::text) AND (to_status = 'failed'::text))) OR ((from_status = 'pending'::text) AND (to_status = 'approved'::text))) OR ((from_status = 'pending'::text) AND (to_status = 'denied'::text))) OR ((from_status = 'pending'::text) AND (to_status = 'expired'::text))) OR ((from_status = 'pending'::text) AND (to_status = 'cancelled'::text))) OR ((from_status = 'pending'::text) AND (to_status = 'failed'::text)))
;

CREATE OR REPLACE FUNCTION public.drop_held_answer()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  delete from held_answers where request_id = new.id;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.evidence_subject(evidence json)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN ((evidence)::text !~* '\\u(0000|d[89a-f])'::text) THEN (evidence ->> 'subject'::text) ELSE NULL::text END
;

CREATE OR REPLACE FUNCTION public.forget_refusals_of_key_pair()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  delete from client_refusals f using rule_versions v
  where v.rule_id = f.rule_id and v.version = f.rule_version and v.key_pair_id = new.id;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.forget_refusals_of_token_provider()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  delete from client_refusals where token_provider_id = new.id;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_audit_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'UPDATE' and
    (new.id, new.at, new.actor_type, new.actor_id, new.actor_name, new.action, new.resource_type, new.resource_id,
      new.resource_name, new.request_id, new.changes::text, new.detail::text, new.personal_sha256)
    is not distinct from
    (old.id, old.at, old.actor_type, old.actor_id, old.actor_name, old.action, old.resource_type, old.resource_id,
      old.resource_name, old.request_id, old.changes::text, old.detail::text, old.personal_sha256)
    and (old.sequence is null or (new.sequence, new.hash) is not distinct from (old.sequence, old.hash))
    and (new.personal is null or new.personal::text is not distinct from old.personal::text)
    and (new.personal_salt is null or new.personal_salt is not distinct from old.personal_salt)
  then
    return new;
  end if;
  raise exception 'audit events are neither changed nor deleted' using errcode = 'integrity_constraint_violation';
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_audit_head()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'audit heads are neither changed nor deleted' using errcode = 'integrity_constraint_violation';
end $function$
;

CREATE OR REPLACE FUNCTION public.guard_authorization_request()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.prompt_facts(persons bytea[])
 RETURNS TABLE(n integer, open_count integer, open_until timestamp with time zone, five_count integer, five_since timestamp with time zone, hour_count integer, hour_since timestamp with time zone, denied_at timestamp with time zone)
 LANGUAGE sql
 SET enable_seqscan TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
    select person.n, count(*) filter (where r.is_open), min(r.expires_at) filter (where r.is_open),
      count(*) filter (where r.age < interval '5 minutes'), min(r.created_at) filter (where r.age < interval '5 minutes'),
      count(*) filter (where r.age < interval '1 hour'), min(r.created_at) filter (where r.age < interval '1 hour'),
      case when (array_agg(r.status order by r.ended_at desc, r.id desc) filter (where r.answered))[1:2] = array['denied', 'denied']
        then max(r.ended_at) filter (where r.answered) end
    from unnest(persons) with ordinality as person (key, n)
    left join lateral (
      select q.id, q.status, q.created_at, q.ended_at, q.expires_at, q.ended_at is null as is_open,
        clock_timestamp() - q.created_at as age,
        q.status = 'approved' or (q.status = 'denied' and q.reason is null) as answered
      from authorization_requests q
      -- Longer than any request lives, and than any cool-down lasts after it.
      where q.subject_key = person.key and q.created_at > now() - interval '5 days'
    ) as r on true
    group by person.n
  $function$
;

CREATE OR REPLACE FUNCTION public.sign_fapi_requests()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.definition->>'fapi' = 'true' and new.definition->>'signedRequest' = 'false' then
    new.definition := jsonb_set(new.definition::jsonb, '{signedRequest}', 'true')::json;
  end if;
  return new;
exception
  -- A text with a NUL in it, which these operators cannot read. The API takes none: an older instance has written none.
  when untranslatable_character then return new;
end $function$
;

CREATE TRIGGER audit_events__guard BEFORE DELETE OR UPDATE ON public.audit_events FOR EACH ROW EXECUTE FUNCTION guard_audit_event();

CREATE TRIGGER audit_heads__guard BEFORE DELETE OR UPDATE ON public.audit_heads FOR EACH ROW EXECUTE FUNCTION guard_audit_head();

CREATE TRIGGER authorization_requests__drop_held_answer AFTER UPDATE ON public.authorization_requests FOR EACH ROW WHEN (((old.status = 'pending'::text) AND (new.status <> 'pending'::text))) EXECUTE FUNCTION drop_held_answer();

CREATE TRIGGER authorization_requests__guard BEFORE INSERT OR UPDATE ON public.authorization_requests FOR EACH ROW EXECUTE FUNCTION guard_authorization_request();

CREATE TRIGGER key_pairs__forget_refusals AFTER UPDATE ON public.key_pairs FOR EACH ROW WHEN ((old.version <> new.version)) EXECUTE FUNCTION forget_refusals_of_key_pair();

CREATE TRIGGER rule_versions__sign_fapi_requests BEFORE INSERT OR UPDATE ON public.rule_versions FOR EACH ROW WHEN ((NOT new.unsigned_fapi)) EXECUTE FUNCTION sign_fapi_requests();

CREATE TRIGGER token_providers__forget_refusals AFTER UPDATE ON public.token_providers FOR EACH ROW WHEN ((old.version <> new.version)) EXECUTE FUNCTION forget_refusals_of_token_provider();
