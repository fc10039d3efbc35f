import type { DisabledReason, WebhookEventType } from '#lib/contracts';
import { EntitySchema } from 'typeorm';
import { adminColumns, type AdminColumns } from './admin-columns.js';

export interface WebhookEndpointColumns extends AdminColumns {
  name: string | null;
  url: string;
  events: WebhookEventType[];
  description: string | null;
  enabled: boolean;
  /** Sealed. */
  secret: Buffer;
  /** Sealed. */
  previousSecret: Buffer | null;
  previousSecretUntil: Date | null;
  disabledReason: DisabledReason | null;
  disabledAt: Date | null;
  failingSince: Date | null;
}

export const webhookEndpointsTable = new EntitySchema<WebhookEndpointColumns>({
  name: 'webhook_endpoints',
  tableName: 'webhook_endpoints',
  columns: {
    ...adminColumns,
    name: { type: 'text', nullable: true },
    url: { type: 'text' },
    events: { type: 'text', array: true },
    description: { type: 'text', nullable: true },
    enabled: { type: 'boolean' },
    secret: { type: 'bytea', select: false },
    previousSecret: { name: 'previous_secret', type: 'bytea', nullable: true, select: false },
    previousSecretUntil: { name: 'previous_secret_until', type: 'timestamptz', precision: 3, nullable: true },
    disabledReason: { name: 'disabled_reason', type: 'text', nullable: true },
    disabledAt: { name: 'disabled_at', type: 'timestamptz', precision: 3, nullable: true },
    failingSince: { name: 'failing_since', type: 'timestamptz', precision: 3, nullable: true },
  },
});
