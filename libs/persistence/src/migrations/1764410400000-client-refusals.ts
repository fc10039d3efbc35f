import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Remembers which clients their provider refuses, so that all processes spare it together. */
export class ClientRefusals1764410400000 implements MigrationInterface {
  readonly name = 'ClientRefusals1764410400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
-- A version of a rule whose client the provider does not take, and from when on it may be tried again.
create table client_refusals (
  rule_id uuid not null,
  rule_version integer not null,
  call text not null constraint client_refusals__call_check check (call in ('start', 'poll')),
  token_provider_id uuid not null,
  error text not null,
  -- Pauses since the provider took the client last; each is twice as long as the one before it.
  pauses integer not null default 1,
  first_at timestamptz(3) not null default clock_timestamp(),
  last_at timestamptz(3) not null default clock_timestamp(),
  paused_until timestamptz(3) not null,
  constraint client_refusals__rule_id_version_call_pk primary key (rule_id, rule_version, call)
);
create index client_refusals__token_provider_id_ix on client_refusals (token_provider_id);

-- Whoever changes the provider, or renews the key pair that a client shows, wants it tried at once.
create function forget_refusals_of_token_provider() returns trigger language plpgsql as $$
begin
  delete from client_refusals where token_provider_id = new.id;
  return null;
end $$;
create trigger token_providers__forget_refusals after update on token_providers
  for each row when (old.version <> new.version) execute function forget_refusals_of_token_provider();

create function forget_refusals_of_key_pair() returns trigger language plpgsql as $$
begin
  delete from client_refusals f using rule_versions v
  where v.rule_id = f.rule_id and v.version = f.rule_version and v.key_pair_id = new.id;
  return null;
end $$;
create trigger key_pairs__forget_refusals after update on key_pairs
  for each row when (old.version <> new.version) execute function forget_refusals_of_key_pair();
`;
