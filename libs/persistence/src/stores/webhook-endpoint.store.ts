import type { EntityManager } from 'typeorm';
import { system, type Acting } from '../audit/acting.js';
import { recordAudit } from '../audit/record-audit.js';
import { isSealed } from '../errors.js';
import { isUuid } from '../paging.js';
import { sameSecret } from '../same-secret.js';
import type { SealPlace } from '../sealing.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
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
export const webhookSecretPlace = (id: string, column: 'secret' | 'previous_secret' = 'secret'): SealPlace => ({
  table: 'webhook_endpoints',
  column,
  id,
});

/** Webhook endpoints. Deleting one ends its deliveries: nobody is left to receive them. */
export class TypeormWebhookEndpointStore
  extends TypeormAdminStore<WebhookEndpointColumns, WebhookEndpointRow, NewWebhookEndpoint, WebhookEndpointChange>
  implements WebhookEndpointStore
{
  constructor(context: StoreContext) {
    super(context, { schema: webhookEndpointsTable, audited: 'webhook-endpoint', nameColumn: 'name', referable: null });
  }

  protected override async remove(
    manager: EntityManager,
    id: string,
    expectedVersion: number | null,
    acting: Acting,
  ): Promise<DeleteResult<WebhookEndpointRow>> {
    const outcome = await super.remove(manager, id, expectedVersion, acting);
    if (outcome.kind === 'deleted') await manager.query(endDeliveries, [id]);
    return outcome;
  }

  async rotateSecret(
    id: string,
    secret: string,
    overlapSeconds: number,
    acting: Acting = system,
  ): Promise<WebhookEndpointRow | null> {
    if (!isUuid(id)) return null;
    const { sealing, sql } = this.context;
    await sql.transaction(async (client) => {
      const { rows } = await client.query<SecretRow>(lockSecrets, [id]);
      const [row] = rows;
      if (row === undefined) return;
      const overlaps = row.overlaps && overlapSeconds > 0;
      const kept = overlaps || overlapSeconds === 0 ? null : this.opened(id, row.secret);
      const previous = kept === null ? null : sealing.seal(kept, webhookSecretPlace(id, 'previous_secret'));
      const sealed = sealing.seal(secret, webhookSecretPlace(id));
      await client.query(replaceSecret, [id, sealed, previous, overlaps, overlapSeconds]);
      const resource = { type: 'webhook-endpoint', id, name: row.url };
      await recordAudit(client, acting, {
        action: 'webhook-endpoint.secret-rotated',
        resource,
        detail: { overlapSeconds },
      });
    });
    return this.find(id);
  }

  async isSecret(id: string, secret: string): Promise<boolean> {
    const row = await this.context.sql.row<{ secret: Buffer }>(selectWebhookSecret, [id]);
    return row !== null && sameSecret(this.opened(id, row.secret), secret);
  }

  /** Null when it does not open: then nothing is signed with it, and a new one mends that. */
  private opened(id: string, secret: Buffer): string | null {
    try {
      return this.context.sealing.open(secret, webhookSecretPlace(id));
    } catch (error) {
      if (isSealed(error)) return null;
      throw error;
    }
  }

  /** How its deliveries fare is nobody's change. */
  protected override auditView(row: WebhookEndpointRow): object {
    return { ...row, failingSince: undefined };
  }

  protected toRow(columns: WebhookEndpointColumns): WebhookEndpointRow {
    const { id, version, createdAt, updatedAt, name, url, events, description, enabled } = columns;
    const { failingSince, previousSecretUntil } = columns;
    // A version before this one may have enabled it and left the reason.
    const { disabledReason, disabledAt } = enabled ? wellAgain : columns;
    const overlaps = previousSecretUntil !== null && previousSecretUntil.getTime() > Date.now();
    return {
      ...{ id, version, createdAt, updatedAt, name, url, events, description, enabled },
      ...{ disabledReason, disabledAt, failingSince, previousSecretUntil: overlaps ? previousSecretUntil : null },
    };
  }

  protected newColumns(id: string, value: NewWebhookEndpoint): OwnColumns<WebhookEndpointColumns> {
    return {
      ...shown(value),
      secret: this.context.sealing.seal(value.secret, webhookSecretPlace(id)),
      ...{ previousSecret: null, previousSecretUntil: null, ...wellAgain },
    };
  }

  protected changedColumns(id: string, value: WebhookEndpointChange): Partial<OwnColumns<WebhookEndpointColumns>> {
    const { secret } = value;
    return {
      ...shown(value),
      // Whoever enables an endpoint, or changes one that is enabled, lets it begin anew.
      ...(value.enabled && wellAgain),
      ...(secret != null && { secret: this.context.sealing.seal(secret, webhookSecretPlace(id)) }),
    };
  }
}

const wellAgain = { disabledReason: null, disabledAt: null, failingSince: null };

const selectWebhookSecret = statement(
  'select_webhook_secret',
  'select secret from webhook_endpoints where id = $1::uuid',
);

interface SecretRow {
  readonly url: string;
  readonly secret: Buffer;
  readonly overlaps: boolean;
}

const lockSecrets = /* sql */ `
  select url, secret, coalesce(previous_secret_until > clock_timestamp(), false) as overlaps
  from webhook_endpoints where id = $1 for update`;

const replaceSecret = /* sql */ `
  update webhook_endpoints set
    secret = $2,
    previous_secret = case when $4 then previous_secret else $3::bytea end,
    previous_secret_until = case
      when $4 then greatest(previous_secret_until, clock_timestamp() + make_interval(secs => $5))
      when $3::bytea is not null then clock_timestamp() + make_interval(secs => $5) end,
    version = version + 1, updated_at = clock_timestamp()
  where id = $1`;

const shown = ({ name, url, events, description, enabled }: WebhookEndpointValue) => ({
  name: name ?? null,
  url,
  events: [...events],
  description,
  enabled,
});

const endDeliveries = /* sql */ `
  update deliveries set state = 'exhausted', next_attempt_at = null, lease_until = null
  where endpoint_id = $1 and state = 'pending'`;
