import type { SealPlace } from '../sealing.js';
import { ShortCache } from '../short-cache.js';
import type { StoreContext } from '../store-context.js';
import { apiClientsTable, type ApiClientColumns } from '../tables/api-clients.table.js';
import type { OwnColumns } from './admin-table.js';
import type {
  ApiClientChange,
  ApiClientRow,
  ApiClientStore,
  ApiClientValue,
  DeleteResult,
  NewApiClient,
  UpdateResult,
} from './admin.types.js';
import { TypeormAdminStore } from './typeorm-admin.store.js';

/** Where a callback secret is sealed. */
export const callbackSecretPlace = (id: string): SealPlace => ({ table: 'api_clients', column: 'callback_secret', id });

/** API clients; of their keys only hashes are known. */
export class TypeormApiClientStore
  extends TypeormAdminStore<ApiClientColumns, ApiClientRow, NewApiClient, ApiClientChange>
  implements ApiClientStore
{
  private readonly byKeyHash = new ShortCache<ApiClientRow>({ ttlMs: 1_000, maxEntries: 1_000 });

  constructor(context: StoreContext) {
    super(context, { schema: apiClientsTable, nameColumn: 'name', referable: null });
  }

  async findByKeyHash(keyHash: Buffer): Promise<ApiClientRow | null> {
    return this.byKeyHash.get(keyHash.toString('hex'), async () =>
      this.orNull(await this.table.findBy('keyHash', keyHash)),
    );
  }

  override async update(
    id: string,
    expectedVersion: number | null,
    value: ApiClientChange,
  ): Promise<UpdateResult<ApiClientRow>> {
    const result = await super.update(id, expectedVersion, value);
    this.byKeyHash.clear();
    return result;
  }

  override async delete(id: string, expectedVersion: number | null): Promise<DeleteResult<ApiClientRow>> {
    const result = await super.delete(id, expectedVersion);
    this.byKeyHash.clear();
    return result;
  }

  protected toRow(columns: ApiClientColumns): ApiClientRow {
    const { id, version, createdAt, updatedAt, name, scopes, enabled, rules, subjects, requestsPerMinute, keyPrefix } =
      columns;
    const value = { name, scopes, enabled, rules, subjects, requestsPerMinute };
    return {
      id,
      version,
      createdAt,
      updatedAt,
      ...value,
      keyPrefix,
      hasCallbackSecret: columns.callbackSecret !== null,
    };
  }

  protected newColumns(id: string, value: NewApiClient): OwnColumns<ApiClientColumns> {
    return {
      ...valueColumns(value),
      keyHash: value.keyHash,
      keyPrefix: value.keyPrefix,
      callbackSecret: value.callbackSecret === null ? null : this.sealSecret(id, value.callbackSecret),
    };
  }

  protected changedColumns(id: string, value: ApiClientChange): Partial<OwnColumns<ApiClientColumns>> {
    return {
      ...valueColumns(value),
      ...(value.keyHash && { keyHash: value.keyHash }),
      ...(value.keyPrefix !== undefined && { keyPrefix: value.keyPrefix }),
      ...(value.callbackSecret != null && { callbackSecret: this.sealSecret(id, value.callbackSecret) }),
    };
  }

  private sealSecret(id: string, secret: string): Buffer {
    return this.context.sealing.seal(secret, callbackSecretPlace(id));
  }
}

const valueColumns = ({ name, scopes, enabled, rules, subjects, requestsPerMinute }: ApiClientValue) => ({
  name,
  scopes: [...scopes],
  enabled,
  rules: rules && [...rules],
  subjects,
  requestsPerMinute,
});
