import { statuses } from '#lib/domain';
import { z } from 'zod';
import { decision, providerError, reason, ruleReference } from './decision.js';
import { httpUrl, id, instant, metadata } from './identifiers.js';
import { pageQuery } from './paging.http.js';

/** What the caller knows about the operation; values are strings, numbers or booleans. */
export const attributes = z
  .record(
    z.string().min(1).max(64),
    z.union(
      [z.string().max(4096), z.number(), z.boolean()],
      'Give a string of at most 4096 characters, a number or a boolean.',
    ),
  )
  .refine((value) => Object.keys(value).length <= 64, 'At most 64 attributes.')
  .meta({ description: 'What the caller knows about the operation.' });

export const submitAuthorizationRequestBody = z
  .strictObject({
    rule: z.string().min(1).max(64).meta({ description: 'The id or the name of a rule.' }),
    attributes,
    bindingMessage: z.string().min(1).max(1000).optional().meta({ description: "Overrides the rule's template." }),
    callbackUrl: httpUrl.optional(),
    userCode: z.string().min(1).max(256).optional().meta({ description: "The person's user code; never stored." }),
    metadata: metadata.optional(),
  })
  .meta({ id: 'SubmitAuthorizationRequest' });
export type SubmitAuthorizationRequestBody = z.infer<typeof submitAuthorizationRequestBody>;

/** An authorization request as the API shows it. */
export const authorizationRequest = z
  .strictObject({
    id,
    status: z.enum(statuses),
    reason: reason.nullable(),
    providerError: providerError.nullable(),
    rule: ruleReference,
    bindingMessage: z.string().nullable().meta({ description: 'The text as sent; show it to the user.' }),
    requestHash: z.string(),
    createdAt: instant,
    expiresAt: instant.nullable(),
    decision: decision.nullable(),
    consumedAt: instant.nullable(),
    metadata,
    links: z.strictObject({ self: z.string(), events: z.string(), cancel: z.string(), consume: z.string() }),
  })
  .meta({ id: 'AuthorizationRequest' });
export type AuthorizationRequestDocument = z.infer<typeof authorizationRequest>;

/** For callers that cannot send `Prefer: wait`. */
export const waitQuery = z.strictObject({
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .meta({ description: 'Seconds to wait for the decision, at most 60; `Prefer: wait` says the same and wins.' }),
});
export type WaitQuery = z.infer<typeof waitQuery>;

export const listAuthorizationRequestsQuery = pageQuery.extend({
  status: z
    .string()
    .optional()
    .transform((value) => value?.split(','))
    .pipe(z.array(z.enum(statuses)).optional())
    .meta({ description: 'One status, or several with commas between them.' }),
  rule: z.string().max(64).optional().meta({ description: 'The id or the name of a rule.' }),
  createdAfter: instant.optional(),
  createdBefore: instant.optional(),
});
export type ListAuthorizationRequestsQuery = z.infer<typeof listAuthorizationRequestsQuery>;

export const timelineEntry = z
  .strictObject({ at: instant, type: z.string(), detail: z.record(z.string(), z.unknown()) })
  .meta({ id: 'TimelineEntry' });
export const timeline = z.strictObject({ data: z.array(timelineEntry) }).meta({ id: 'Timeline' });
export type Timeline = z.infer<typeof timeline>;

export const consumeBody = z
  .strictObject({
    attributes: attributes.optional().meta({ description: 'When given, must equal what was approved.' }),
  })
  .meta({ id: 'ConsumeAuthorizationRequest' });
export type ConsumeBody = z.infer<typeof consumeBody>;

export const consumption = z
  .strictObject({
    decision,
    consumedAt: instant,
    accessToken: z
      .strictObject({ value: z.string(), tokenType: z.string(), expiresAt: instant.nullable(), scope: z.string() })
      .nullable(),
  })
  .meta({ id: 'Consumption' });
export type Consumption = z.infer<typeof consumption>;
