import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who is logged in at the console, and whose login is under way. */
export class ConsoleSessions1764435600000 implements MigrationInterface {
  readonly name = 'ConsoleSessions1764435600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
create table console_sessions (
  id uuid constraint console_sessions__id_pk primary key,
  -- SHA-256 of what the cookie holds: whoever reads the table cannot use a session.
  secret_hash bytea not null constraint console_sessions__secret_hash_key unique,
  via text not null,
  role text not null,
  user_id text,
  user_name text not null,
  -- Of a session that an API key began: it lasts no longer than the key.
  key_hash bytea,
  created_at timestamptz not null default clock_timestamp(),
  idle_until timestamptz not null,
  expires_at timestamptz not null,
  constraint console_sessions__via_check check (via in ('key', 'oidc', 'open')),
  constraint console_sessions__role_check check (role in ('admin', 'auditor')),
  constraint console_sessions__key_hash_check check ((key_hash is not null) = (via = 'key')),
  constraint console_sessions__idle_until_check check (idle_until <= expires_at)
);
create index console_sessions__idle_until_ix on console_sessions (idle_until);

create table console_logins (
  secret_hash bytea constraint console_logins__secret_hash_pk primary key,
  return_to text not null,
  expires_at timestamptz not null
);
create index console_logins__expires_at_ix on console_logins (expires_at);

alter table audit_events drop constraint audit_events__actor_type_check, add constraint audit_events__actor_type_check
  check (actor_type in ('api-client', 'bootstrap-key', 'person', 'provider', 'system', 'user')) not valid;
`;
