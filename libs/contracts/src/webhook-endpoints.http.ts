import { z } from 'zod';
import { httpUrl, id, instant } from './identifiers.js';

export const webhookEventTypes = [
  'decision.approved',
  'decision.denied',
  'decision.expired',
  'decision.cancelled',
  'decision.failed',
] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

const events = z.array(z.enum(webhookEventTypes)).min(1).max(webhookEventTypes.length);

export const webhookEndpointBody = z
  .strictObject({
    url: httpUrl,
    events: events.default([...webhookEventTypes]),
    description: z.string().max(256).nullable().default(null),
    enabled: z.boolean().default(true),
  })
  .meta({ id: 'WebhookEndpointBody' });
export type WebhookEndpointBody = z.infer<typeof webhookEndpointBody>;

export const webhookEndpointPatch = z
  .strictObject({
    url: httpUrl.optional(),
    events: events.optional(),
    description: z.string().max(256).nullable().optional(),
    enabled: z.boolean().optional(),
  })
  .meta({ id: 'WebhookEndpointPatch' });
export type WebhookEndpointPatch = z.infer<typeof webhookEndpointPatch>;

export const webhookEndpoint = z
  .strictObject({
    id,
    url: z.string(),
    events: z.array(z.enum(webhookEventTypes)),
    description: z.string().nullable(),
    enabled: z.boolean(),
    version: z.int().positive(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'WebhookEndpoint' });
export type WebhookEndpoint = z.infer<typeof webhookEndpoint>;

/** The answer to a creation: the only time that the secret is shown. */
export const createdWebhookEndpoint = z
  .strictObject({ ...webhookEndpoint.shape, secret: z.string().meta({ description: '`whsec_…`; shown once.' }) })
  .meta({ id: 'CreatedWebhookEndpoint' });
export type CreatedWebhookEndpoint = z.infer<typeof createdWebhookEndpoint>;

/** One delivery of one decision to one address, with its attempts. */
export const delivery = z
  .strictObject({
    id,
    webhookId: z.string(),
    url: z.string(),
    state: z.enum(['pending', 'delivered', 'exhausted']),
    attempts: z.array(
      z.strictObject({
        at: instant,
        status: z.int().nullable(),
        problem: z.string().nullable(),
        durationMs: z.int(),
      }),
    ),
    nextAttemptAt: instant.nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Delivery' });
export type Delivery = z.infer<typeof delivery>;
