import type { RuleDefinition } from '#lib/domain';
import { EntitySchema } from 'typeorm';
import { adminColumns, type AdminColumns } from './admin-columns.js';

/** A rule as it is now; what it says stands in the version that it names. */
export interface RuleColumns extends AdminColumns {
  name: string;
  tokenProviderId: string;
  keyPairId: string | null;
  timeoutRejectionHandlerId: string | null;
  denyRejectionHandlerId: string | null;
  errorRejectionHandlerId: string | null;
  clientSecretSetAt: Date | null;
}

export const rulesTable = new EntitySchema<RuleColumns>({
  name: 'rules',
  tableName: 'rules',
  columns: {
    ...adminColumns,
    name: { type: 'text' },
    tokenProviderId: { type: 'uuid', name: 'token_provider_id' },
    keyPairId: { type: 'uuid', name: 'key_pair_id', nullable: true },
    timeoutRejectionHandlerId: { type: 'uuid', name: 'timeout_rejection_handler_id', nullable: true },
    denyRejectionHandlerId: { type: 'uuid', name: 'deny_rejection_handler_id', nullable: true },
    errorRejectionHandlerId: { type: 'uuid', name: 'error_rejection_handler_id', nullable: true },
    clientSecretSetAt: { type: 'timestamptz', name: 'client_secret_set_at', nullable: true },
  },
});

/** One version of a rule; never changed, never deleted. */
export interface RuleVersionColumns {
  ruleId: string;
  version: number;
  definition: RuleDefinition;
  tokenProviderId: string;
  keyPairId: string | null;
  /** Sealed. */
  clientSecret: Buffer | null;
  /** The rule is held to FAPI-CIBA and means it when it says that its requests are not signed. */
  unsignedFapi: boolean;
}

export const ruleVersionsTable = new EntitySchema<RuleVersionColumns>({
  name: 'rule_versions',
  tableName: 'rule_versions',
  columns: {
    ruleId: { type: 'uuid', primary: true, name: 'rule_id' },
    version: { type: 'integer', primary: true },
    definition: { type: 'json' },
    tokenProviderId: { type: 'uuid', name: 'token_provider_id' },
    keyPairId: { type: 'uuid', name: 'key_pair_id', nullable: true },
    clientSecret: { type: 'bytea', name: 'client_secret', nullable: true },
    unsignedFapi: { type: 'boolean', name: 'unsigned_fapi' },
  },
});
