import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets a later schema say which versions of the code it still carries. */
export class SchemaFloor1760300000000 implements MigrationInterface {
  readonly name = 'SchemaFloor1760300000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
-- The newest migration that a version of the code must know to work on this schema. A migration that only adds leaves
-- it alone; one that takes something away raises it to the last migration that stopped the use of what goes.
create table schema_floor (
  single boolean constraint schema_floor__single_pk primary key default true
    constraint schema_floor__single_check check (single),
  level bigint not null
);
insert into schema_floor (level) values (1760000000000);
`;
