import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Says in rules that are held to FAPI-CIBA that their requests are signed. It went without saying; now a rule that says
 * `signedRequest: false` beside `fapi` means it.
 */
export class SignedFapiRules1764410700000 implements MigrationInterface {
  readonly name = 'SignedFapiRules1764410700000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
update rule_versions set definition = jsonb_set(definition::jsonb, '{signedRequest}', 'true')::json
where definition->>'fapi' = 'true' and definition->>'signedRequest' = 'false'`;
