import type { MigrationInterface, QueryRunner } from 'typeorm';

/** API clients are known to authorization servers too. */
export class OauthClients1764423000000 implements MigrationInterface {
  readonly name = 'OauthClients1764423000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
alter table api_clients
  -- \`iss\` of the access tokens that count as credentials of this client.
  add column oauth_issuer text,
  -- Their \`client_id\`, or \`sub\`.
  add column oauth_client_id text,
  add constraint api_clients__oauth_client_key unique (oauth_issuer, oauth_client_id),
  add constraint api_clients__oauth_client_check check ((oauth_issuer is null) = (oauth_client_id is null));
`;
