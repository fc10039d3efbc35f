import { EntitySchema } from 'typeorm';
import type { TokenProviderRow } from '../stores/admin.types.js';
import { adminColumns, type AdminColumns } from './admin-columns.js';

export interface TokenProviderColumns extends AdminColumns {
  name: string;
  issuer: string;
  profile: TokenProviderRow['profile'];
  metadata: Record<string, unknown> | null;
  trustedCertificates: string[];
  discoveryState: TokenProviderRow['discovery']['state'];
  discoveryCheckedAt: Date | null;
  discoveryProblem: string | null;
}

export const tokenProvidersTable = new EntitySchema<TokenProviderColumns>({
  name: 'token_providers',
  tableName: 'token_providers',
  columns: {
    ...adminColumns,
    name: { type: 'text' },
    issuer: { type: 'text' },
    profile: { type: 'text' },
    metadata: { type: 'json', nullable: true },
    trustedCertificates: { type: 'text', array: true, name: 'trusted_certificates' },
    discoveryState: { type: 'text', name: 'discovery_state' },
    discoveryCheckedAt: { type: 'timestamptz', name: 'discovery_checked_at', nullable: true },
    discoveryProblem: { type: 'text', name: 'discovery_problem', nullable: true },
  },
});
