import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys to which providers encrypt ID tokens. */
export class EncryptionKeys1764411000000 implements MigrationInterface {
  readonly name = 'EncryptionKeys1764411000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
-- Apart from the keys that sign: here the other side chooses the key, so that one is published as soon as it is there,
-- and one that is published no more goes on opening.
create table encryption_keys (
  kid text constraint encryption_keys__kid_pk primary key,
  alg text not null constraint encryption_keys__alg_check check (alg in ('RSA-OAEP-256', 'ECDH-ES')),
  public_jwk json not null,
  private_key bytea not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  -- Not published any more; it opens what is still on its way.
  retired_at timestamptz(3)
);
create unique index encryption_keys__current_key on encryption_keys (alg) where retired_at is null;
`;
