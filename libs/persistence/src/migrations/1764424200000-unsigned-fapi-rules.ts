import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tells a rule that means its `signedRequest: false` beside `fapi` from one that an instance of an older version wrote
 * during an upgrade: there it went without saying that such requests are signed, and so they stay signed. Only who knows
 * the mark can say no.
 */
export class UnsignedFapiRules1764424200000 implements MigrationInterface {
  readonly name = 'UnsignedFapiRules1764424200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
alter table rule_versions add column unsigned_fapi boolean not null default false;

create function sign_fapi_requests() returns trigger language plpgsql as $$
begin
  if new.definition->>'fapi' = 'true' and new.definition->>'signedRequest' = 'false' then
    new.definition := jsonb_set(new.definition::jsonb, '{signedRequest}', 'true')::json;
  end if;
  return new;
exception
  -- A text with a NUL in it, which these operators cannot read. The API takes none: an older instance has written none.
  when untranslatable_character then return new;
end $$;
create trigger rule_versions__sign_fapi_requests before insert or update on rule_versions
  for each row when (not new.unsigned_fapi) execute function sign_fapi_requests();

-- What stands there unmarked may be of either kind: what is unknown is signed. The trigger sees to it.
update rule_versions set unsigned_fapi = false`;
