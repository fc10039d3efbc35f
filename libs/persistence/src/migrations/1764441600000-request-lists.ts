import type { MigrationInterface, QueryRunner } from 'typeorm';

const indexes = {
  authorization_requests__status_id_ix: '(status, id)',
  authorization_requests__rule_id_id_ix: '(rule_id, id)',
};

/** A page of requests with one status, or of one rule, is found without reading the others. */
export class RequestLists1764441600000 implements MigrationInterface {
  readonly name = 'RequestLists1764441600000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const [name, columns] of Object.entries(indexes)) {
      // What a build that was cut off has left does not count.
      await queryRunner.query(`drop index concurrently if exists ${name}`);
      await queryRunner.query(`create index concurrently ${name} on authorization_requests ${columns}`);
    }
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}
