import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is asked about every request is planned once for each connection. For the one person of a request that comes alone
 * PostgreSQL made a plan each time, which took longer than the answer. Up to PostgreSQL 17 it still does for `prompt_facts`: a
 * function in SQL is planned at each call there.
 */
export class AdmissionPlannedOnce1764444300000 implements MigrationInterface {
  readonly name = 'AdmissionPlannedOnce1764444300000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const asked of ['prompt_facts(bytea[])', 'admit_requests(bytea[], uuid[], uuid[], json)'])
      await queryRunner.query(`alter function ${asked} set plan_cache_mode = force_generic_plan`);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}
