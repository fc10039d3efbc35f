import type { WebhookEventType } from '#lib/contracts';
import { EntitySchema } from 'typeorm';
import { adminColumns, type AdminColumns } from './admin-columns.js';

export interface WebhookEndpointColumns extends AdminColumns {
  url: string;
  events: WebhookEventType[];
  description: string | null;
  enabled: boolean;
  /** Sealed. */
  secret: Buffer;
}

export const webhookEndpointsTable = new EntitySchema<WebhookEndpointColumns>({
  name: 'webhook_endpoints',
  tableName: 'webhook_endpoints',
  columns: {
    ...adminColumns,
    url: { type: 'text' },
    events: { type: 'text', array: true },
    description: { type: 'text', nullable: true },
    enabled: { type: 'boolean' },
    secret: { type: 'bytea', select: false },
  },
});
