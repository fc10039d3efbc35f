import { EntitySchema } from 'typeorm';
import type { KeyPairFacts } from '../stores/admin.types.js';
import { adminColumns, type AdminColumns } from './admin-columns.js';

export interface KeyPairColumns extends AdminColumns {
  alias: string;
  certificateChain: string[];
  /** Sealed. */
  privateKey: Buffer;
  facts: KeyPairFacts;
}

export const keyPairsTable = new EntitySchema<KeyPairColumns>({
  name: 'key_pairs',
  tableName: 'key_pairs',
  columns: {
    ...adminColumns,
    alias: { type: 'text' },
    certificateChain: { type: 'text', array: true, name: 'certificate_chain' },
    privateKey: { type: 'bytea', name: 'private_key', select: false },
    facts: { type: 'json' },
  },
});
