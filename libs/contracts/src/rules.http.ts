import { clientSecretMethods, deliveryModes, initiationUnknownPolicies } from '#lib/domain';
import { z } from 'zod';
import { id, instant, name } from './identifiers.js';

const clientSecret = z.string().min(1).max(1024);

/** How Assent proves to the provider that it is this client. A secret is write-only. */
export const clientCredentialsBody = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('secret'),
      clientSecret: clientSecret
        .optional()
        .meta({ description: 'Write-only. A PUT or PATCH that leaves it out keeps its value.' }),
      method: z.enum(clientSecretMethods).nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('mutual-tls'),
      keyPairId: id,
      method: z.enum(['tls_client_auth', 'self_signed_tls_client_auth']).nullable().default(null),
    }),
    z.strictObject({ type: z.literal('private-key-jwt') }),
  ])
  .meta({ id: 'ClientCredentialsBody' });

export const clientCredentials = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('secret'),
      clientSecretSetAt: instant
        .nullable()
        .meta({ description: 'When the secret was last set; the secret never leaves.' }),
      method: z.enum(clientSecretMethods).nullable(),
    }),
    clientCredentialsBody.options[1],
    clientCredentialsBody.options[2],
  ])
  .meta({ id: 'ClientCredentials' });

// RFC 6749 §3.3
const scopeToken = z
  .string()
  .max(256)
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'A scope has no spaces, quotes or backslashes.');

const fields = {
  name,
  type: z.literal('one-time-authorization'),
  tokenProviderId: id,
  clientId: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[\x20-\x7E]+$/, 'A client id has printable ASCII characters only.'),
  clientCredentials: clientCredentialsBody,
  loginHintAttribute: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w.-]+$/, 'Use letters, digits, underscore, dot and hyphen.')
    .meta({ description: 'The request attribute whose value becomes the login hint.' }),
  scopes: z.array(scopeToken).max(50),
  requestedExpirySeconds: z
    .int()
    .min(1)
    .max(259_200)
    .nullable()
    .meta({ description: "Null: the provider's own policy decides." }),
  timeoutRejectionHandlerId: id.nullable(),
  denyRejectionHandlerId: id.nullable(),
  errorRejectionHandlerId: id.nullable(),
  bindingMessage: z
    .string()
    .max(1000)
    .nullable()
    .meta({ description: 'Template; `{{attribute}}` is replaced by the attribute of the request.' }),
  deliveryMode: z.enum(deliveryModes),
  acrValues: z.array(scopeToken).max(20),
  releaseAccessToken: z.boolean(),
  consumeWithinSeconds: z.int().min(1).max(86_400),
  onInitiationUnknown: z.enum(initiationUnknownPolicies),
  enabled: z.boolean(),
};

/** A rule as an administrator writes it. */
export const ruleBody = z
  .strictObject({
    ...fields,
    scopes: fields.scopes.default([]),
    requestedExpirySeconds: fields.requestedExpirySeconds.default(null),
    timeoutRejectionHandlerId: fields.timeoutRejectionHandlerId.default(null),
    denyRejectionHandlerId: fields.denyRejectionHandlerId.default(null),
    errorRejectionHandlerId: fields.errorRejectionHandlerId.default(null),
    bindingMessage: fields.bindingMessage.default(null),
    deliveryMode: fields.deliveryMode.default('poll'),
    acrValues: fields.acrValues.default([]),
    releaseAccessToken: fields.releaseAccessToken.default(false),
    consumeWithinSeconds: fields.consumeWithinSeconds.default(300),
    onInitiationUnknown: fields.onInitiationUnknown.default('fail'),
    enabled: fields.enabled.default(true),
  })
  .meta({ id: 'RuleBody' });
export type RuleBody = z.infer<typeof ruleBody>;

/** A merge patch: members that are absent stay. */
export const rulePatch = z.strictObject(fields).partial().meta({ id: 'RulePatch' });
export type RulePatch = z.infer<typeof rulePatch>;

export const rule = z
  .strictObject({
    id,
    ...fields,
    clientCredentials,
    version: z.int().positive(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Rule' });
export type Rule = z.infer<typeof rule>;
