import { system, within } from '../audit/acting.js';
import { auditChange } from '../audit/audit-change.js';
import type { Acting } from '../audit/acting.js';
import type { SealPlace } from '../sealing.js';
import { isSealed } from '../errors.js';
import { sameSecret } from '../same-secret.js';
import { ShortCache } from '../short-cache.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { apiClientsTable, type ApiClientColumns } from '../tables/api-clients.table.js';
import type { OwnColumns } from './admin-table.js';
import type {
  ApiClientByKey,
  ApiClientChange,
  ApiClientRow,
  ApiClientStore,
  ApiClientValue,
  DeleteResult,
  NewApiClient,
  NewKey,
  OauthClientName,
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
  private readonly byCredential = new ShortCache<ApiClientByKey>({ ttlMs: 1_000, maxEntries: 1_000 });

  constructor(context: StoreContext) {
    super(context, {
      schema: apiClientsTable,
      audited: 'api-client',
      nameColumn: 'name',
      uniqueMembers: { api_clients__oauth_client_key: 'oauthClient', api_clients__key_hash_key: 'key' },
      referable: null,
    });
  }

  async findByKeyHash(keyHash: Buffer): Promise<ApiClientByKey | null> {
    return this.byCredential.get(keyHash.toString('hex'), async () => {
      const current = await this.table.findBy('keyHash', keyHash);
      if (current !== null) return { client: this.toRow(current), keyExpiresAt: current.keyExpiresAt };
      const previous = await this.table.findBy('previousKeyHash', keyHash);
      return previous && { client: this.toRow(previous), keyExpiresAt: previous.previousKeyExpiresAt };
    });
  }

  async findByOauthClient({ issuer, clientId }: OauthClientName): Promise<ApiClientRow | null> {
    const found = await this.byCredential.get(JSON.stringify([issuer, clientId]), async () => {
      const row = await this.context.dataSource.manager.findOneBy(apiClientsTable, {
        oauthIssuer: issuer,
        oauthClientId: clientId,
      });
      return row && { client: this.toRow(row), keyExpiresAt: null };
    });
    return found && found.client;
  }

  async rotateKey(id: string, key: NewKey, acting: Acting = system): Promise<ApiClientRow | null> {
    const { keyHash, keyPrefix, expiresAt, overlapSeconds } = key;
    try {
      return await within(this.context, acting, async (manager) => {
        const before = await this.table.lock(id, manager);
        if (before === null) return null;
        await manager.query(rotateKey.text, [id, keyHash, keyPrefix, expiresAt, overlapSeconds]);
        const after = this.toRow((await this.table.find(id, manager))!);
        await auditChange(manager, acting, {
          resource: { type: 'api-client', id: after.id, name: after.name },
          version: after.version,
          before: this.auditView(this.toRow(before)),
          after: this.auditView(after),
          columns: { keyHash },
          action: 'key-rotated',
        });
        return after;
      });
    } finally {
      this.byCredential.clear();
    }
  }

  async isKey(id: string, keyHash: Buffer): Promise<boolean> {
    return (await this.context.sql.row(selectClientByKey, [id, keyHash])) !== null;
  }

  async isCallbackSecret(id: string, secret: string): Promise<boolean> {
    const row = await this.context.sql.row<{ callback_secret: Buffer | null }>(selectCallbackSecret, [id]);
    if (row === null || row.callback_secret === null) return false;
    try {
      return sameSecret(this.context.sealing.open(row.callback_secret, callbackSecretPlace(id)), secret);
    } catch (error) {
      if (isSealed(error)) return false;
      throw error;
    }
  }

  async noteUse(uses: ReadonlyMap<string, Date>): Promise<void> {
    await this.context.sql.rows(noteUse, [[...uses.keys()], [...uses.values()]]);
  }

  override async update(
    id: string,
    expectedVersion: number | null,
    value: ApiClientChange,
    acting: Acting = system,
  ): Promise<UpdateResult<ApiClientRow>> {
    const result = await super.update(id, expectedVersion, value, acting);
    this.byCredential.clear();
    return result;
  }

  override async delete(
    id: string,
    expectedVersion: number | null,
    acting: Acting = system,
  ): Promise<DeleteResult<ApiClientRow>> {
    const result = await super.delete(id, expectedVersion, acting);
    this.byCredential.clear();
    return result;
  }

  /** When it used its key is nobody's change. */
  protected override auditView(row: ApiClientRow): object {
    return { ...row, lastUsedAt: undefined };
  }

  protected toRow(columns: ApiClientColumns): ApiClientRow {
    const { id, version, createdAt, updatedAt, name, scopes, enabled, rules, subjects, requestsPerMinute } = columns;
    const { keyPrefix, keyExpiresAt, previousKeyPrefix, previousKeyExpiresAt, lastUsedAt } = columns;
    const { oauthIssuer, oauthClientId } = columns;
    const oauthClient =
      oauthIssuer === null || oauthClientId === null ? null : { issuer: oauthIssuer, clientId: oauthClientId };
    const previousKey =
      previousKeyPrefix === null || previousKeyExpiresAt === null
        ? null
        : { prefix: previousKeyPrefix, expiresAt: previousKeyExpiresAt };
    return {
      ...{ id, version, createdAt, updatedAt, name, scopes, enabled, rules, subjects, requestsPerMinute },
      ...{ keyPrefix, expiresAt: keyExpiresAt, previousKey, lastUsedAt, oauthClient },
      hasCallbackSecret: columns.callbackSecret !== null,
    };
  }

  protected newColumns(id: string, value: NewApiClient): OwnColumns<ApiClientColumns> {
    return {
      ...valueColumns(value),
      keyHash: value.keyHash,
      keyPrefix: value.keyPrefix,
      previousKeyHash: null,
      previousKeyPrefix: null,
      previousKeyExpiresAt: null,
      lastUsedAt: null,
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

const valueColumns = (value: ApiClientValue) => ({
  name: value.name,
  scopes: [...value.scopes],
  enabled: value.enabled,
  rules: value.rules && [...value.rules],
  subjects: value.subjects,
  requestsPerMinute: value.requestsPerMinute,
  keyExpiresAt: value.expiresAt,
  oauthIssuer: value.oauthClient?.issuer ?? null,
  oauthClientId: value.oauthClient?.clientId ?? null,
});

// The key that is replaced never lives longer than it would have.
const rotateKey = statement(
  'rotate_api_key',
  /* sql */ `
  update api_clients set
    previous_key_hash = case when $5::integer > 0 then key_hash end,
    previous_key_prefix = case when $5::integer > 0 then key_prefix end,
    previous_key_expires_at =
      case when $5::integer > 0 then least(key_expires_at, clock_timestamp() + make_interval(secs => $5::integer)) end,
    key_hash = $2, key_prefix = $3, key_expires_at = $4,
    version = version + 1, updated_at = clock_timestamp()
  where id = $1::uuid`,
);

const selectClientByKey = statement(
  'select_client_by_id_and_key',
  'select id from api_clients where id = $1::uuid and key_hash = $2',
);

const selectCallbackSecret = statement(
  'select_callback_secret',
  'select callback_secret from api_clients where id = $1::uuid',
);

const noteUse = statement(
  'note_use_of_api_clients',
  /* sql */ `
  update api_clients a set last_used_at = used.at
  from unnest($1::uuid[], $2::timestamptz[]) as used (id, at)
  where a.id = used.id and (a.last_used_at is null or a.last_used_at < used.at - interval '1 minute')`,
);
