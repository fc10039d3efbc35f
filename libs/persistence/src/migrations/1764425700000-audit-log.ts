import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The record of administration and of decisions, sealed in a chain of hashes. */
export class AuditLog1764425700000 implements MigrationInterface {
  readonly name = 'AuditLog1764425700000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
create table audit_events (
  id uuid constraint audit_events__id_pk primary key,
  at timestamptz(3) not null default clock_timestamp(),
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
  -- What names a person, and its salt, go when the person is erased; the hash is what the chain covers.
  personal json,
  personal_salt text,
  personal_sha256 text,
  -- Given when it is sealed.
  sequence bigint constraint audit_events__sequence_key unique,
  hash text,
  constraint audit_events__actor_type_check
    check (actor_type in ('api-client', 'bootstrap-key', 'person', 'provider', 'system')),
  constraint audit_events__personal_check
    check ((personal is null) = (personal_salt is null) and (personal is null or personal_sha256 is not null)),
  constraint audit_events__hash_check check ((sequence is null) = (hash is null))
);
create index audit_events__unsealed_ix on audit_events (id) where sequence is null;
create index audit_events__actor_id_ix on audit_events (actor_id, id);
create index audit_events__resource_id_ix on audit_events (resource_id, id);
create index audit_events__personal_ix on audit_events (at) where personal is not null;

create table audit_heads (
  batch bigint constraint audit_heads__batch_pk primary key,
  first_sequence bigint not null,
  last_sequence bigint not null,
  previous_hash text not null,
  hash text not null,
  sealed_at timestamptz(3) not null,
  kid text not null,
  signature text not null
);

-- How far the timelines of requests have become events; its lock lets one process seal at a time.
create table audit_cursor (
  single boolean not null default true constraint audit_cursor__single_pk primary key,
  through_position bigint not null default 0,
  -- A timeline entry gets its position before it is visible: up to here all are, once every transaction below the mark
  -- has ended.
  next_position bigint not null default 0,
  next_mark xid8 not null default '0',
  constraint audit_cursor__single_check check (single)
);
insert into audit_cursor default values;

-- Events are only ever added. They change twice: when they are sealed, and when a person is erased.
create function guard_audit_event() returns trigger language plpgsql as $$
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
end $$;
create trigger audit_events__guard before update or delete on audit_events
  for each row execute function guard_audit_event();

create function guard_audit_head() returns trigger language plpgsql as $$
begin
  raise exception 'audit heads are neither changed nor deleted' using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_heads__guard before update or delete on audit_heads
  for each row execute function guard_audit_head();

-- The whole log, a line of JSON each, in the order in which it is verified:
-- psql -AtX -c 'select line from audit_export' | assent audit verify --file -
create view audit_export as
select line from (
  select sequence as place, 0 as turn, json_build_object('event', json_build_object(
    'id', id, 'sequence', sequence, 'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'actor', json_build_object('type', actor_type, 'id', actor_id, 'name', actor_name), 'action', action,
    'resource', json_build_object('type', resource_type, 'id', resource_id, 'name', resource_name),
    'requestId', request_id, 'changes', changes, 'detail', detail, 'personal', personal, 'personalSalt', personal_salt,
    'personalSha256', personal_sha256, 'hash', hash))::text as line
  from audit_events where sequence is not null
  union all
  select last_sequence, 1, json_build_object('head', json_build_object(
    'batch', batch, 'firstSequence', first_sequence, 'lastSequence', last_sequence, 'previousHash', previous_hash,
    'hash', hash, 'sealedAt', to_char(sealed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'kid', kid,
    'signature', signature))::text
  from audit_heads
) as entries order by place, turn, line;

alter table signing_keys drop constraint signing_keys__use_check, add constraint signing_keys__use_check
  check (use in ('client-assertion', 'request-object', 'receipt', 'callback', 'audit'));
`;
