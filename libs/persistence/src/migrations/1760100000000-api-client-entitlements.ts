import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an API client is limited to, and whether it may call at all. */
export class ApiClientEntitlements1760100000000 implements MigrationInterface {
  readonly name = 'ApiClientEntitlements1760100000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
alter table api_clients
  add column enabled boolean not null default true,
  -- Null: every rule, everybody.
  add column rules uuid[],
  add column subjects json;
`;
