import type { Scope } from '#lib/contracts';
import type { SubjectEntitlement } from '#lib/domain';
import { EntitySchema } from 'typeorm';
import { adminColumns, type AdminColumns } from './admin-columns.js';

export interface ApiClientColumns extends AdminColumns {
  name: string;
  scopes: Scope[];
  enabled: boolean;
  rules: string[] | null;
  subjects: readonly SubjectEntitlement[] | null;
  requestsPerMinute: number | null;
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
    enabled: { type: 'boolean' },
    rules: { type: 'uuid', array: true, nullable: true },
    subjects: { type: 'json', nullable: true },
    requestsPerMinute: { type: 'integer', name: 'requests_per_minute', nullable: true },
    keyHash: { type: 'bytea', name: 'key_hash' },
    keyPrefix: { type: 'text', name: 'key_prefix' },
    callbackSecret: { type: 'bytea', name: 'callback_secret', nullable: true },
  },
});
