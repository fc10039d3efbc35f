import type { SealPlace } from '../sealing.js';
import { inTransaction, type StoreContext } from '../store-context.js';
import { webhookEndpointsTable, type WebhookEndpointColumns } from '../tables/webhook-endpoints.table.js';
import type { OwnColumns } from './admin-table.js';
import type {
  DeleteResult,
  NewWebhookEndpoint,
  WebhookEndpointChange,
  WebhookEndpointRow,
  WebhookEndpointStore,
  WebhookEndpointValue,
} from './admin.types.js';
import { TypeormAdminStore } from './typeorm-admin.store.js';

/** Where a webhook secret is sealed. */
export const webhookSecretPlace = (id: string): SealPlace => ({ table: 'webhook_endpoints', column: 'secret', id });

/** Webhook endpoints. Deleting one ends its deliveries: nobody is left to receive them. */
export class TypeormWebhookEndpointStore
  extends TypeormAdminStore<WebhookEndpointColumns, WebhookEndpointRow, NewWebhookEndpoint, WebhookEndpointChange>
  implements WebhookEndpointStore
{
  constructor(context: StoreContext) {
    super(context, { schema: webhookEndpointsTable, nameColumn: null, referable: null });
  }

  override async delete(id: string, expectedVersion: number | null): Promise<DeleteResult<WebhookEndpointRow>> {
    return inTransaction(this.context, async (manager) => {
      const outcome = await this.table.remove(id, expectedVersion, manager);
      if (outcome.kind === 'version-mismatch') return { ...outcome, current: this.toRow(outcome.current) };
      if (outcome.kind === 'deleted') {
        await manager.query(
          `update deliveries set state = 'exhausted', next_attempt_at = null, lease_until = null
            where endpoint_id = $1 and state = 'pending'`,
          [id],
        );
      }
      return outcome;
    });
  }

  protected toRow(columns: WebhookEndpointColumns): WebhookEndpointRow {
    const { id, version, createdAt, updatedAt, url, events, description, enabled } = columns;
    return { id, version, createdAt, updatedAt, url, events, description, enabled };
  }

  protected newColumns(id: string, value: NewWebhookEndpoint): OwnColumns<WebhookEndpointColumns> {
    return { ...shown(value), secret: this.context.sealing.seal(value.secret, webhookSecretPlace(id)) };
  }

  protected changedColumns(id: string, value: WebhookEndpointChange): Partial<OwnColumns<WebhookEndpointColumns>> {
    const { secret } = value;
    return {
      ...shown(value),
      ...(secret != null && { secret: this.context.sealing.seal(secret, webhookSecretPlace(id)) }),
    };
  }
}

const shown = ({ url, events, description, enabled }: WebhookEndpointValue) => ({
  url,
  events: [...events],
  description,
  enabled,
});
