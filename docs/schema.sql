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
  constraint api_clients__id_pk PRIMARY KEY (id),
  constraint api_clients__key_hash_key UNIQUE (key_hash),
  constraint api_clients__name_key UNIQUE (name)
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
CREATE INDEX authorization_requests__pending_ix ON public.authorization_requests USING btree (shard) WHERE (status = 'pending'::text);
CREATE INDEX authorization_requests__released_ix ON public.authorization_requests USING btree (released_token_expires_at) WHERE (released_token IS NOT NULL);
CREATE INDEX authorization_requests__requested_ix ON public.authorization_requests USING btree (created_at) WHERE (status = 'requested'::text);
CREATE INDEX authorization_requests__undecided_ix ON public.authorization_requests USING btree (ended_at) WHERE ((ended_at IS NOT NULL) AND (decision_id IS NULL));

create table decisions (
  id uuid not null,
  request_id uuid not null,
  outcome text not null,
  document json not null,
  decided_at timestamp(3) with time zone not null,
  constraint decisions__id_pk PRIMARY KEY (id),
  constraint decisions__request_id_key UNIQUE (request_id),
  constraint decisions__outcome_check CHECK ((outcome = ANY (ARRAY['approved'::text, 'denied'::text, 'expired'::text, 'cancelled'::text, 'failed'::text]))),
  constraint decisions__request_id_fk FOREIGN KEY (request_id) REFERENCES authorization_requests(id)
);

create table deliveries (
  id uuid not null default gen_random_uuid(),
  decision_id uuid not null,
  request_id uuid not null,
  kind text not null,
  endpoint_id uuid,
  url text not null,
  target text not null,
  state text not null default 'pending'::text,
  failed_attempts integer not null default 0,
  next_attempt_at timestamp(3) with time zone,
  lease_until timestamp(3) with time zone,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
  constraint deliveries__id_pk PRIMARY KEY (id),
  constraint deliveries__endpoint_id_check CHECK (((endpoint_id IS NOT NULL) = (kind = 'webhook'::text))),
  constraint deliveries__kind_check CHECK ((kind = ANY (ARRAY['callback'::text, 'webhook'::text]))),
  constraint deliveries__next_attempt_at_check CHECK (((next_attempt_at IS NOT NULL) = (state = 'pending'::text))),
  constraint deliveries__state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'exhausted'::text]))),
  constraint deliveries__decision_id_fk FOREIGN KEY (decision_id) REFERENCES decisions(id)
);
CREATE INDEX deliveries__endpoint_id_ix ON public.deliveries USING btree (endpoint_id, created_at, id) WHERE (endpoint_id IS NOT NULL);
CREATE INDEX deliveries__lease_until_ix ON public.deliveries USING btree (lease_until) WHERE (lease_until IS NOT NULL);
CREATE INDEX deliveries__next_attempt_at_ix ON public.deliveries USING btree (next_attempt_at) WHERE (state = 'pending'::text);
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

create table master_keys (
  id text not null,
  sealed_check bytea not null,
  created_at timestamp(3) with time zone not null default clock_timestamp(),
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
  constraint signing_keys__use_check CHECK ((use = ANY (ARRAY['client-assertion'::text, 'request-object'::text, 'receipt'::text, 'callback'::text])))
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
  constraint webhook_endpoints__id_pk PRIMARY KEY (id)
);

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

CREATE TRIGGER authorization_requests__drop_held_answer AFTER UPDATE ON public.authorization_requests FOR EACH ROW WHEN (((old.status = 'pending'::text) AND (new.status <> 'pending'::text))) EXECUTE FUNCTION drop_held_answer();

CREATE TRIGGER authorization_requests__guard BEFORE INSERT OR UPDATE ON public.authorization_requests FOR EACH ROW EXECUTE FUNCTION guard_authorization_request();
