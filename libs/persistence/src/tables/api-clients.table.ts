import type { Scope } from '#lib/contracts';
import { EntitySchema } from 'typeorm';
import { adminColumns, type AdminColumns } from './admin-columns.js';

export interface ApiClientColumns extends AdminColumns {
  name: string;
  scopes: Scope[];
  keyHash: Buffer;
  keyPrefix: string;
  /** Sealed. */
  callbackSecret: Buffer | null;
}

export const apiClientsTable = new EntitySchema<ApiClientColumns>({
  name: 'api_clients',
  tableName: 'api_clients',
  columns: {
    ...adminColumns,
    name: { type: 'text' },
    scopes: { type: 'text', array: true },
    keyHash: { type: 'bytea', name: 'key_hash' },
    keyPrefix: { type: 'text', name: 'key_prefix' },
    callbackSecret: { type: 'bytea', name: 'callback_secret', nullable: true },
  },
});
