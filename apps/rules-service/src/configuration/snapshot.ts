import type { ConfigurationSection, PageQuery, Page } from '#lib/contracts';
import type {
  ApiClientRow,
  Database,
  KeyPairRow,
  RejectionHandlerRow,
  RuleRow,
  TokenProviderRow,
  WebhookEndpointRow,
} from '#lib/persistence';

/** Every configured object there is, oldest first; each may have changed since, which its version tells. */
export interface Snapshot {
  readonly tokenProviders: readonly TokenProviderRow[];
  readonly keyPairs: readonly KeyPairRow[];
  readonly rejectionHandlers: readonly RejectionHandlerRow[];
  readonly rules: readonly RuleRow[];
  readonly webhookEndpoints: readonly WebhookEndpointRow[];
  readonly apiClients: readonly ApiClientRow[];
}

export async function takeSnapshot(database: Pick<Database, ConfigurationSection>): Promise<Snapshot> {
  return {
    tokenProviders: await everything(database.tokenProviders),
    keyPairs: await everything(database.keyPairs),
    rejectionHandlers: await everything(database.rejectionHandlers),
    rules: await everything(database.rules),
    webhookEndpoints: await everything(database.webhookEndpoints),
    apiClients: await everything(database.apiClients),
  };
}

async function everything<Row>(store: { list(query: PageQuery): Promise<Page<Row>> }): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Page<Row> = await store.list({ limit: 100, cursor });
    rows.push(...page.data);
    cursor = page.nextCursor;
  }
  return rows;
}
