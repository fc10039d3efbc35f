import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is needed to find what has served its time, and everything about one person. */
export class Retention1760500000000 implements MigrationInterface {
  readonly name = 'Retention1760500000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
-- When whatever names the person was taken away; the outcome stays.
alter table authorization_requests add column erased_at timestamptz(3);
create index authorization_requests__named_ix on authorization_requests (ended_at)
  where ended_at is not null and erased_at is null;
create index authorization_requests__erased_key_ix on authorization_requests (created_at)
  where erased_at is not null and idempotency_key is not null;
-- Null where the document holds what no text can: reading a member of it would fail, and with it the change that stores it.
create function evidence_subject(evidence json) returns text language sql immutable parallel safe
  return case when evidence::text !~* '\\\\u(0000|d[89a-f])' then evidence->>'subject' end;
create index authorization_requests__subject_ix on authorization_requests (evidence_subject(evidence))
  where evidence is not null and erased_at is null;
create index authorization_requests__late_subject_ix on authorization_requests (evidence_subject(late_evidence))
  where late_evidence is not null and erased_at is null;

create index deliveries__decision_id_ix on deliveries (decision_id);
create index deliveries__over_ix on deliveries (created_at) where state <> 'pending';

-- The event that told the decision, and holds its document too.
alter table decisions add column event_id uuid;

-- That somebody was erased, by whom, and how much; not who it was.
create table erasures (
  id uuid constraint erasures__id_pk primary key,
  api_client_id uuid not null,
  erased integer not null,
  cancelled integer not null,
  created_at timestamptz(3) not null default clock_timestamp()
);
`;
