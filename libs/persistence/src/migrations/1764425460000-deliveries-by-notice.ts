import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds the deliveries of a notice. Built beside the writers of the table, which may be large. */
export class DeliveriesByNotice1764425460000 implements MigrationInterface {
  readonly name = 'DeliveriesByNotice1764425460000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // What a build that was cut off has left does not count.
    await queryRunner.query('drop index concurrently if exists deliveries__notice_id_ix');
    await queryRunner.query(
      'create index concurrently deliveries__notice_id_ix on deliveries (notice_id) where notice_id is not null',
    );
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}
