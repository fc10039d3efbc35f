import { z } from 'zod';
import { httpUrl, id, instant, name } from './identifiers.js';
import { pageQuery } from './paging.http.js';

/** One for each way in which a request can end; the routing keys of the public exchange as well. */
export const decisionEventTypes = [
  'decision.approved',
  'decision.denied',
  'decision.expired',
  'decision.cancelled',
  'decision.failed',
] as const;
export type DecisionEventType = (typeof decisionEventTypes)[number];

/** What endpoints are told beside decisions. */
export const noticeTypes = ['key_pair.expiring', 'webhook_endpoint.disabled', 'test.ping'] as const;
export type NoticeType = (typeof noticeTypes)[number];

export const webhookEventTypes = [...decisionEventTypes, ...noticeTypes] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

const events = z
  .array(z.enum(webhookEventTypes))
  .min(1)
  .max(webhookEventTypes.length)
  .meta({ description: 'What the endpoint is told. `test.ping` comes on request, whether it is chosen or not.' });

const endpointName = name
  .nullable()
  .meta({ description: 'Unique where there is one; what a configuration tells endpoints apart by.' });

/** Why an endpoint was disabled without anybody asking for it. */
export const disabledReasons = ['gone', 'failing'] as const;
export type DisabledReason = (typeof disabledReasons)[number];

export const webhookEndpointBody = z
  .strictObject({
    name: endpointName.default(null),
    url: httpUrl,
    events: events.default([...decisionEventTypes]),
    description: z.string().max(256).nullable().default(null),
    enabled: z.boolean().default(true),
  })
  .meta({ id: 'WebhookEndpointBody' });
export type WebhookEndpointBody = z.infer<typeof webhookEndpointBody>;

export const webhookEndpointPatch = z
  .strictObject({
    name: endpointName.optional(),
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
    name: z.string().nullable(),
    url: z.string(),
    events: z.array(z.enum(webhookEventTypes)),
    description: z.string().nullable(),
    enabled: z.boolean(),
    disabledReason: z.enum(disabledReasons).nullable().meta({
      description:
        'Why Assent disabled it: it answered 410, or every attempt failed for days. Null: nobody did, or an administrator.',
    }),
    disabledAt: instant.nullable(),
    failingSince: instant.nullable().meta({ description: 'The first failure since something last arrived.' }),
    previousSecretUntil: instant
      .nullable()
      .meta({ description: 'Until then deliveries are signed with the secret before the last rotation as well.' }),
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

/** How a secret is replaced. */
export const rotateSecretBody = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(604_800)
      .default(86_400)
      .meta({ description: 'How long deliveries are signed with the secret that is replaced as well; 0: not at all.' }),
  })
  .meta({ id: 'RotateSecretBody' });
export type RotateSecretBody = z.infer<typeof rotateSecretBody>;

export const deliveryStates = ['pending', 'delivered', 'exhausted'] as const;

/** One delivery of one decision or notice to one address, with its attempts. */
export const delivery = z
  .strictObject({
    id,
    webhookId: z.string().meta({ description: 'The `webhook-id` of every attempt: the id of the decision or notice.' }),
    type: z.enum(webhookEventTypes),
    authorizationRequestId: id.nullable().meta({ description: 'Of a decision; null for anything else.' }),
    url: z.string(),
    state: z.enum(deliveryStates),
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

export const deliveriesQuery = pageQuery.extend({
  state: z.enum(deliveryStates).optional().meta({ description: 'Only deliveries in this state.' }),
});
export type DeliveriesQuery = z.infer<typeof deliveriesQuery>;

/** Which deliveries of an endpoint are made again. */
export const replayDeliveriesBody = z
  .strictObject({
    since: instant.meta({ description: 'Deliveries created from then on.' }),
    until: instant.optional().meta({ description: 'Deliveries created before then; left out: up to now.' }),
    state: z
      .enum(['exhausted', 'delivered', 'any'])
      .default('exhausted')
      .meta({ description: '`exhausted`: what was given up; `delivered`: what had arrived; `any`: both.' }),
    cursor: z.string().max(512).optional().meta({ description: '`nextCursor` of the call before.' }),
  })
  .meta({ id: 'ReplayDeliveriesBody' });
export type ReplayDeliveriesBody = z.infer<typeof replayDeliveriesBody>;

/** What a replay of a range has done. */
export const replayedDeliveries = z
  .strictObject({
    replayed: z.int(),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Where the next call goes on, with the same members; null: there is no more.' }),
  })
  .meta({ id: 'ReplayedDeliveries' });
export type ReplayedDeliveries = z.infer<typeof replayedDeliveries>;
