import type { SealPlace } from '../sealing.js';
import type { StoreContext } from '../store-context.js';
import { keyPairsTable, type KeyPairColumns } from '../tables/key-pairs.table.js';
import type { OwnColumns } from './admin-table.js';
import type { KeyPairRow, KeyPairStore, NewKeyPair } from './admin.types.js';
import { TypeormAdminStore } from './typeorm-admin.store.js';

/** Where a private key is sealed. */
export const privateKeyPlace = (id: string): SealPlace => ({ table: 'key_pairs', column: 'private_key', id });

/** Key pairs; a private key goes in and never comes out of here but through a registration. */
export class TypeormKeyPairStore
  extends TypeormAdminStore<KeyPairColumns, KeyPairRow, NewKeyPair, { readonly alias: string }>
  implements KeyPairStore
{
  constructor(context: StoreContext) {
    super(context, { schema: keyPairsTable, nameColumn: 'alias', referable: 'keyPair' });
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
