import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys of API clients end, are replaced with an overlap, and tell when they were last used. */
export class ApiKeyRotation1760600000000 implements MigrationInterface {
  readonly name = 'ApiKeyRotation1760600000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
alter table api_clients
  -- Null: the key does not end.
  add column key_expires_at timestamptz(3),
  -- The key before the last rotation, until its overlap ends.
  add column previous_key_hash bytea constraint api_clients__previous_key_hash_key unique,
  add column previous_key_prefix text,
  add column previous_key_expires_at timestamptz(3),
  -- To the minute, and written later.
  add column last_used_at timestamptz(3),
  add constraint api_clients__previous_key_check
    check ((previous_key_hash is null) = (previous_key_expires_at is null)
      and (previous_key_hash is null) = (previous_key_prefix is null));
`;
