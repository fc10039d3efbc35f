import { z } from 'zod';
import { id, instant } from './identifiers.js';
import { pageQuery } from './paging.http.js';

export const auditActorTypes = ['api-client', 'bootstrap-key', 'person', 'provider', 'system', 'user'] as const;
export type AuditActorType = (typeof auditActorTypes)[number];

const base64url = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const filter = z.string().min(1).max(128);

/** The query of the audit log; every filter that is given has to hold. */
export const auditEventsQuery = pageQuery
  .extend({
    actor: filter.optional().meta({ description: 'The id of an actor, or a type such as `api-client`.' }),
    action: filter.optional().meta({ description: 'Such as `rule.updated`.' }),
    resource: filter.optional().meta({ description: 'The id of what it is about, or its type, such as `rule`.' }),
    since: instant.optional().meta({ description: 'Not before this instant.' }),
    until: instant.optional().meta({ description: 'Before this instant.' }),
    afterSequence: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().meta({
      description: 'Only what is sealed, in the order of the chain, after this number: 0 for all of it.',
    }),
  })
  .strict();
export type AuditEventsQuery = z.infer<typeof auditEventsQuery>;

/** One thing that was done: who, what, when, and what changed by it. */
export const auditEvent = z
  .strictObject({
    id,
    sequence: z.int().positive().nullable().meta({ description: 'Its place in the chain; null until it is sealed.' }),
    at: instant,
    actor: z.strictObject({
      type: z.enum(auditActorTypes),
      id: z.string().nullable(),
      name: z.string().nullable().meta({ description: 'As it was called at the time.' }),
    }),
    action: z.string(),
    resource: z.strictObject({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }),
    requestId: z.string().nullable().meta({ description: 'The `X-Request-Id` of the call.' }),
    changes: z
      .array(z.strictObject({ pointer: z.string(), before: z.unknown(), after: z.unknown() }))
      .nullable()
      .meta({ description: 'What differs, by JSON pointer. Of a secret only that it was set.' }),
    detail: z.record(z.string(), z.unknown()).nullable(),
    personal: z.record(z.string(), z.unknown()).nullable().meta({
      description:
        'What names a person. It is not in the chain, but for its salted hash, and goes when they are erased.',
    }),
    personalSalt: z.string().nullable(),
    personalSha256: base64url.nullable(),
    hash: base64url.nullable().meta({ description: 'Covers this event and the hash before it; null until sealed.' }),
  })
  .meta({ id: 'AuditEvent' });
export type AuditEvent = z.infer<typeof auditEvent>;

/** How far the log reached when it was sealed, signed. */
export const auditHead = z
  .strictObject({
    batch: z.int().positive(),
    firstSequence: z.int().positive(),
    lastSequence: z.int().positive(),
    previousHash: base64url.meta({ description: 'The hash of the event before the first.' }),
    hash: base64url.meta({ description: 'The hash of the last event, and so of all before it.' }),
    sealedAt: instant,
    kid: z.string().meta({ description: 'The key in our key set that verifies the signature.' }),
    signature: z.string().meta({
      description:
        'A compact JWS (EdDSA, `typ` `assent-audit-head+jwt`) over the members before `kid`, canonical (RFC 8785).',
    }),
  })
  .meta({ id: 'AuditHead' });
export type AuditHead = z.infer<typeof auditHead>;
