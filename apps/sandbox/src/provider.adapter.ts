import type { Adapter, AdapterPayload, ClientMetadata } from 'oidc-provider';
import type { RowStore } from './row.store.js';

/**
 * Keeps the provider's models in the sandbox's store. The adapter that oidc-provider brings along holds 1000 entries
 * and forgets expired ones; this one forgets nothing.
 *
 * The registered clients are found here too, not in the provider's configuration: from there the provider takes copies
 * made by `structuredClone`, and inside a vm context, such as a test runner's, it rejects their key sets.
 */
export function createProviderAdapter(store: RowStore, clients: readonly ClientMetadata[]): (model: string) => Adapter {
  const adapters = new Map<string, Adapter>([['Client', new ClientAdapter('Client', store, clients)]]);
  return (model) => {
    // One adapter for each model: it owns that model's index of grants.
    const adapter = adapters.get(model) ?? new RowAdapter(model, store);
    adapters.set(model, adapter);
    return adapter;
  };
}

class RowAdapter implements Adapter {
  readonly #idsByGrant = new Map<string, Set<string>>();

  constructor(
    private readonly model: string,
    private readonly store: RowStore,
  ) {
    for (const row of store.all(model)) this.#index(row.id, row.value as AdapterPayload);
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    this.#index(id, payload);
    const expiresAt = expiresInSeconds === undefined ? null : Math.floor(Date.now() / 1000) + expiresInSeconds;
    await this.store.set({ model: this.model, id, value: payload, expiresAt });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.store.get(this.model, id)?.value as AdapterPayload | undefined;
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findWhere((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findWhere((payload) => payload.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    const row = this.store.get(this.model, id);
    if (row) await this.store.set({ ...row, value: { ...row.value, consumed: Math.floor(Date.now() / 1000) } });
  }

  async destroy(id: string): Promise<void> {
    await this.store.delete(this.model, id);
  }

  /** The provider calls this once for each model that a grant can own. */
  async revokeByGrantId(grantId: string): Promise<void> {
    const ids = this.#idsByGrant.get(grantId) ?? [];
    this.#idsByGrant.delete(grantId);
    await Promise.all([...ids].map((id) => this.store.delete(this.model, id)));
  }

  #index(id: string, payload: AdapterPayload): void {
    if (!payload.grantId) return;
    const ids = this.#idsByGrant.get(payload.grantId) ?? new Set<string>();
    this.#idsByGrant.set(payload.grantId, ids.add(id));
  }

  #findWhere(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const row of this.store.all(this.model)) {
      const payload = row.value as AdapterPayload;
      if (matches(payload)) return payload;
    }
    return undefined;
  }
}

class ClientAdapter extends RowAdapter {
  constructor(
    model: string,
    store: RowStore,
    private readonly clients: readonly ClientMetadata[],
  ) {
    super(model, store);
  }

  override async find(id: string): Promise<AdapterPayload | undefined> {
    return this.clients.find((client) => client.client_id === id);
  }
}
