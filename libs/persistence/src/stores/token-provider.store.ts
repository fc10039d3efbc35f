import { storable } from '../storable.js';
import type { StoreContext } from '../store-context.js';
import { tokenProvidersTable, type TokenProviderColumns } from '../tables/token-providers.table.js';
import type { OwnColumns } from './admin-table.js';
import type {
  ProviderDiscoveryState,
  TokenProviderRow,
  TokenProviderStore,
  TokenProviderValue,
} from './admin.types.js';
import { TypeormAdminStore } from './typeorm-admin.store.js';

/** Token providers. A change of the settings forgets what the last look at the provider found. */
export class TypeormTokenProviderStore
  extends TypeormAdminStore<TokenProviderColumns, TokenProviderRow, TokenProviderValue, TokenProviderValue>
  implements TokenProviderStore
{
  constructor(context: StoreContext) {
    super(context, {
      schema: tokenProvidersTable,
      audited: 'token-provider',
      nameColumn: 'name',
      referable: 'tokenProvider',
    });
  }

  async recordDiscovery(id: string, { state, checkedAt, problem }: ProviderDiscoveryState): Promise<void> {
    await this.context.dataSource
      .createQueryBuilder()
      .update(tokenProvidersTable)
      .set({
        discoveryState: state,
        discoveryCheckedAt: checkedAt,
        discoveryProblem: problem === null ? null : storable(problem),
      })
      .where('id = :id', { id })
      .execute();
  }

  protected toRow({
    discoveryState,
    discoveryCheckedAt,
    discoveryProblem,
    ...row
  }: TokenProviderColumns): TokenProviderRow {
    return { ...row, discovery: { state: discoveryState, checkedAt: discoveryCheckedAt, problem: discoveryProblem } };
  }

  /** What the last look at the provider found is nobody's change. */
  protected override auditView(row: TokenProviderRow): object {
    return { ...row, discovery: undefined };
  }

  protected newColumns(_id: string, value: TokenProviderValue): OwnColumns<TokenProviderColumns> {
    return {
      name: value.name,
      issuer: value.issuer,
      profile: value.profile,
      metadata: value.metadata,
      trustedCertificates: [...value.trustedCertificates],
      discoveryState: value.metadata === null ? 'not-tried' : 'explicit',
      discoveryCheckedAt: null,
      discoveryProblem: null,
    };
  }

  protected changedColumns(id: string, value: TokenProviderValue): OwnColumns<TokenProviderColumns> {
    return this.newColumns(id, value);
  }
}
