import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Webhook endpoints change their secret with an overlap, are disabled when they fail for long, and hear notices. */
export class WebhookControl1764425400000 implements MigrationInterface {
  readonly name = 'WebhookControl1764425400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
alter table webhook_endpoints
  -- Sealed. The secret before the rotation, and until when deliveries are signed with it as well.
  add column previous_secret bytea,
  add column previous_secret_until timestamptz(3),
  -- Null: enabled, or disabled by an administrator.
  add column disabled_reason text constraint webhook_endpoints__disabled_reason_check
    check (disabled_reason in ('gone', 'failing')),
  add column disabled_at timestamptz(3),
  -- The first failure since something last arrived.
  add column failing_since timestamptz(3),
  add constraint webhook_endpoints__previous_secret_check
    check ((previous_secret is null) = (previous_secret_until is null)),
  add constraint webhook_endpoints__disabled_check
    check ((disabled_reason is null) = (disabled_at is null));

-- What endpoints are told beside decisions.
create table webhook_notices (
  id uuid constraint webhook_notices__id_pk primary key,
  type text not null,
  data json not null,
  occurred_at timestamptz(3) not null default clock_timestamp()
);
create index webhook_notices__occurred_at_ix on webhook_notices (occurred_at);

-- Whatever would read this table, which may be large, is left out: a foreign key, and the look at rows that are there
-- (they keep the check, for the new column is empty).
alter table deliveries
  alter column decision_id drop not null,
  alter column request_id drop not null,
  add column notice_id uuid,
  add constraint deliveries__notice_id_check check (
    (decision_id is null) = (notice_id is not null) and (request_id is null) = (notice_id is not null)) not valid;
`;
