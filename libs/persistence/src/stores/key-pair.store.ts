import { system, type Acting } from '../audit/acting.js';
import { isUuid } from '../paging.js';
import type { SealPlace } from '../sealing.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { keyPairsTable, type KeyPairColumns } from '../tables/key-pairs.table.js';
import type { OwnColumns } from './admin-table.js';
import type { KeyPairRow, KeyPairStore, KeyPairUser, NewKeyPair, UpdateResult } from './admin.types.js';
import { TypeormAdminStore } from './typeorm-admin.store.js';

/** Where a private key is sealed. */
export const privateKeyPlace = (id: string): SealPlace => ({ table: 'key_pairs', column: 'private_key', id });

/** Key pairs; a private key goes in and never comes out of here but through a registration. */
export class TypeormKeyPairStore
  extends TypeormAdminStore<KeyPairColumns, KeyPairRow, NewKeyPair, { readonly alias: string }>
  implements KeyPairStore
{
  constructor(context: StoreContext) {
    super(context, { schema: keyPairsTable, audited: 'key-pair', nameColumn: 'alias', referable: 'keyPair' });
  }

  async privateKey(id: string): Promise<string | null> {
    if (!isUuid(id)) return null;
    const row = await this.context.sql.row<{ private_key: Buffer }>(selectPrivateKey, [id]);
    return row && this.context.sealing.open(row.private_key, privateKeyPlace(id));
  }

  async replaceCertificate(
    id: string,
    expectedVersion: number | null,
    { certificateChainPem, facts }: Pick<NewKeyPair, 'certificateChainPem' | 'facts'>,
    acting: Acting = system,
  ): Promise<UpdateResult<KeyPairRow>> {
    return this.changed(id, expectedVersion, { certificateChain: [...certificateChainPem], facts }, acting);
  }

  async replaceKey(
    id: string,
    expectedVersion: number | null,
    { certificateChainPem, facts, privateKeyPem }: Omit<NewKeyPair, 'alias'>,
    acting: Acting = system,
  ): Promise<UpdateResult<KeyPairRow>> {
    const privateKey = this.context.sealing.seal(privateKeyPem, privateKeyPlace(id));
    return this.changed(id, expectedVersion, { certificateChain: [...certificateChainPem], privateKey, facts }, acting);
  }

  async usersOf(ids: readonly string[]): Promise<KeyPairUser[]> {
    const rows = await this.context.sql.rows<{
      key_pair_id: string;
      rule: KeyPairUser['rule'];
      token_provider: KeyPairUser['tokenProvider'];
    }>(selectUsers, [ids]);
    return rows.map((row) => ({ keyPairId: row.key_pair_id, rule: row.rule, tokenProvider: row.token_provider }));
  }

  protected toRow({ id, version, createdAt, updatedAt, alias, certificateChain, facts }: KeyPairColumns): KeyPairRow {
    return { id, version, createdAt, updatedAt, alias, certificateChainPem: certificateChain, facts };
  }

  protected newColumns(id: string, value: NewKeyPair): OwnColumns<KeyPairColumns> {
    return {
      alias: value.alias,
      certificateChain: [...value.certificateChainPem],
      privateKey: this.context.sealing.seal(value.privateKeyPem, privateKeyPlace(id)),
      facts: value.facts,
    };
  }

  protected changedColumns(_id: string, { alias }: { readonly alias: string }): Partial<OwnColumns<KeyPairColumns>> {
    return { alias };
  }
}

const selectPrivateKey = statement('select_private_key', 'select private_key from key_pairs where id = $1::uuid');

const selectUsers = statement(
  'select_users_of_key_pairs',
  /* sql */ `
  select r.key_pair_id, json_build_object('id', r.id, 'name', r.name) as rule,
    json_build_object('id', p.id, 'name', p.name) as token_provider
  from rules r join token_providers p on p.id = r.token_provider_id
  where r.key_pair_id = any ($1::uuid[])
  order by r.name`,
);
