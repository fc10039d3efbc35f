import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Master keys tell when nothing was found any more that they seal. */
export class ResealedMasterKeys1764425100000 implements MigrationInterface {
  readonly name = 'ResealedMasterKeys1764425100000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
alter table master_keys
  -- When a whole pass last found nothing that this key seals, and that the active key had to seal anew.
  add column resealed_at timestamptz(3);
`;
