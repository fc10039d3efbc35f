import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Idempotency keys of erased requests are found by their own age, and those of joined requests end as well. */
export class ForgottenKeys1764425520000 implements MigrationInterface {
  readonly name = 'ForgottenKeys1764425520000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // Set when the request is erased: a day after the call the key has no use.
    await queryRunner.query('alter table joined_requests add column if not exists forget_at timestamptz(3)');
    for (const { name, on } of indexes) {
      // What a build that was cut off has left does not count.
      await queryRunner.query(`drop index concurrently if exists ${name}`);
      await queryRunner.query(`create index concurrently ${name} on ${on}`);
    }
    await queryRunner.query(catchUp);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const indexes = [
  { name: 'joined_requests__forget_at_ix', on: 'joined_requests (forget_at) where forget_at is not null' },
  {
    name: 'authorization_requests__erased_consume_key_ix',
    on: 'authorization_requests (consumed_at) where erased_at is not null and consume_key is not null',
  },
];

const catchUp = /* sql */ `
  update joined_requests j set forget_at = j.created_at + interval '1 day'
  from authorization_requests r where r.id = j.request_id and r.erased_at is not null and j.forget_at is null`;
