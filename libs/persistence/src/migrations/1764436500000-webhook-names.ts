import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Webhook endpoints may have a name, which a configuration tells them apart by. */
export class WebhookNames1764436500000 implements MigrationInterface {
  readonly name = 'WebhookNames1764436500000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('alter table webhook_endpoints add column if not exists name text');
    // What a build that was cut off has left does not count.
    await queryRunner.query('drop index concurrently if exists webhook_endpoints__name_key');
    await queryRunner.query('create unique index concurrently webhook_endpoints__name_key on webhook_endpoints (name)');
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}
