import { failureReasons, denialReasons, outcomes } from '#lib/domain';
import { z } from 'zod';
import { id, instant, metadata } from './identifiers.js';

/** Which version of which rule a request runs under. */
export const ruleReference = z.strictObject({ id, name: z.string(), version: z.int().positive() });

/** An error that the token provider named. */
export const providerError = z
  .strictObject({ code: z.string(), description: z.string().nullable() })
  .meta({ id: 'ProviderError' });

export const reason = z
  .enum([...failureReasons, ...denialReasons])
  .meta({ description: 'Why the request failed, or why it was denied when it was not the person who said no.' });

/** What proves an approval. */
export const evidence = z
  .strictObject({
    issuer: z.string(),
    subject: z.string(),
    acr: z.string().nullable(),
    amr: z.array(z.string()).nullable(),
    authTime: z.int().nullable().meta({ description: 'Seconds since the epoch.' }),
    idTokenSha256: z.string().meta({ description: 'Base64url SHA-256 of the ID token.' }),
  })
  .meta({ id: 'Evidence' });

/** The rejection handler's rendered response: pass it on to the user as it is. */
export const rejection = z
  .strictObject({
    handler: z.strictObject({ id, name: z.string() }),
    response: z.strictObject({
      status: z.int(),
      headers: z.record(z.string(), z.string()),
      body: z.string().optional(),
    }),
  })
  .meta({ id: 'Rejection' });

/** The one decision about a request: the same document in every channel. */
export const decision = z
  .strictObject({
    id,
    authorizationRequestId: id,
    outcome: z.enum(outcomes),
    reason: reason.nullable(),
    providerError: providerError.nullable(),
    rule: ruleReference,
    decidedAt: instant,
    rejection: rejection.nullable(),
    evidence: evidence.nullable(),
    receipt: z.string().nullable().meta({
      description: 'JWS (`typ: assent-receipt+jwt`) over the approval; verify it with /.well-known/jwks.json.',
    }),
    requestHash: z.string(),
    metadata,
  })
  .meta({ id: 'Decision', description: 'The one decision about an authorization request.' });
export type Decision = z.infer<typeof decision>;

/** The body of every callback and webhook (Standard Webhooks). */
export const webhookEnvelope = z
  .strictObject({ type: z.string(), timestamp: instant, data: decision })
  .meta({ id: 'WebhookEnvelope' });
export type WebhookEnvelope = z.infer<typeof webhookEnvelope>;

/** What a service reads of the event of a decision; what a later version adds is passed over. */
export const heardDecision = z.object({ authorizationRequestId: id });
