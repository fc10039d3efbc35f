import type { SealPlace } from '../sealing.js';

/** A table with sealed columns. */
export interface SealedTable {
  readonly table: string;
  /** The primary key, in order. */
  readonly key: readonly { readonly column: string; readonly type: 'uuid' | 'text' | 'integer' }[];
  readonly columns: readonly string[];
  /** Rows that one portion takes. */
  readonly portion: number;
}

const byId = [{ column: 'id', type: 'uuid' }] as const;
const byKid = [{ column: 'kid', type: 'text' }] as const;

/** Everything that a master key seals, but the checks of the keys themselves. A test holds that no column is missing. */
export const sealedTables: readonly SealedTable[] = [
  { table: 'lookup_keys', key: [{ column: 'name', type: 'text' }], columns: ['sealed_key'], portion: 100 },
  { table: 'signing_keys', key: byKid, columns: ['private_key'], portion: 100 },
  { table: 'encryption_keys', key: byKid, columns: ['private_key'], portion: 100 },
  { table: 'key_pairs', key: byId, columns: ['private_key'], portion: 100 },
  { table: 'api_clients', key: byId, columns: ['callback_secret'], portion: 100 },
  { table: 'webhook_endpoints', key: byId, columns: ['secret', 'previous_secret'], portion: 100 },
  {
    table: 'rule_versions',
    key: [
      { column: 'rule_id', type: 'uuid' },
      { column: 'version', type: 'integer' },
    ],
    columns: ['client_secret'],
    portion: 100,
  },
  { table: 'held_answers', key: [{ column: 'request_id', type: 'uuid' }], columns: ['answer'], portion: 50 },
  {
    table: 'authorization_requests',
    key: byId,
    columns: ['attributes', 'login_hint', 'user_code', 'auth_req_id', 'released_token'],
    portion: 50,
  },
];

/** Where a value of a row is sealed: every table binds its values to the parts of its key, joined by colons. */
export const sealedPlace = ({ table }: SealedTable, column: string, key: readonly string[]): SealPlace => ({
  table,
  column,
  id: key.join(':'),
});
