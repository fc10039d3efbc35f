import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which warnings of the end of which certificate have been told: each once. */
export class KeyPairWarnings1764436200000 implements MigrationInterface {
  readonly name = 'KeyPairWarnings1764436200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
create table key_pair_warnings (
  key_pair_id uuid not null constraint key_pair_warnings__key_pair_id_fk references key_pairs on delete cascade,
  sha256_fingerprint text not null,
  days integer not null,
  told_at timestamptz(3) not null default clock_timestamp(),
  constraint key_pair_warnings__key_pair_id_sha256_fingerprint_days_pk
    primary key (key_pair_id, sha256_fingerprint, days)
);`;
