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
  keyExpiresAt: Date | null;
  previousKeyHash: Buffer | null;
  previousKeyPrefix: string | null;
  previousKeyExpiresAt: Date | null;
  lastUsedAt: Date | null;
  oauthIssuer: string | null;
  oauthClientId: string | null;
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
    keyExpiresAt: { type: 'timestamptz', name: 'key_expires_at', nullable: true },
    previousKeyHash: { type: 'bytea', name: 'previous_key_hash', nullable: true },
    previousKeyPrefix: { type: 'text', name: 'previous_key_prefix', nullable: true },
    previousKeyExpiresAt: { type: 'timestamptz', name: 'previous_key_expires_at', nullable: true },
    lastUsedAt: { type: 'timestamptz', name: 'last_used_at', nullable: true },
    oauthIssuer: { type: 'text', name: 'oauth_issuer', nullable: true },
    oauthClientId: { type: 'text', name: 'oauth_client_id', nullable: true },
    callbackSecret: { type: 'bytea', name: 'callback_secret', nullable: true },
  },
});
