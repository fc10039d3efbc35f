import {
  clientSecretMethods,
  deliveryModes,
  hintKinds,
  initiationUnknownPolicies,
  requestSigningAlgorithms,
  subjectPolicies,
} from '#lib/domain';
import { z } from 'zod';
import { attributes } from './authorization-requests.http.js';
import { ruleReference } from './decision.js';
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

const attributeName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w.-]+$/, 'Use letters, digits, underscore, dot and hyphen.');

// Deeper or longer than this is no detail that anybody reads on a phone.
const maximumDetailsDepth = 8;
const maximumDetailsLength = 8192;

const authorizationDetail = z
  .looseObject({ type: z.string().min(1).max(256) })
  .meta({ id: 'AuthorizationDetail', description: 'What it holds beside its type is up to the type (RFC 9396).' });

const authorizationDetails = z
  .array(authorizationDetail)
  .min(1)
  .max(20)
  .refine((details) => depthOf(details) <= maximumDetailsDepth, `Nest at most ${maximumDetailsDepth} levels.`)
  .refine(
    (details) => JSON.stringify(details).length <= maximumDetailsLength,
    `Use at most ${maximumDetailsLength} characters of JSON.`,
  );

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

const limit = (most: number) => z.int().min(0).max(most).optional();

const promptLimits = z
  .strictObject({
    outstanding: limit(10_000).meta({ description: 'Requests of one person that have not ended.' }),
    perFiveMinutes: limit(100_000).meta({ description: 'Requests to one person within any 5 minutes.' }),
    perHour: limit(1_000_000).meta({ description: 'Requests to one person within any hour.' }),
    coolDownSeconds: limit(86_400).meta({
      description: 'How long a person who has said no twice in a row is left alone.',
    }),
    rulePerMinute: limit(1_000_000).meta({ description: 'Requests under this rule in a minute of the clock.' }),
  })
  .nullable()
  .meta({
    description:
      'How often a person may be asked; 0 means no limit, and what is left out is as configured. A person’s requests ' +
      'count whichever client and rule they came by. Beyond a limit the answer is 429 and nothing is stored.',
  });

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
  loginHintAttribute: attributeName.meta({
    description: 'The request attribute whose value becomes the login hint.',
  }),
  hintKind: z.enum(hintKinds).meta({ description: 'The parameter that names the person; the others are never sent.' }),
  hintTemplate: z
    .string()
    .min(1)
    .max(1000)
    .regex(/\{\{\s*value\s*\}\}/, 'Use {{value}}, which stands for the value of the attribute.')
    .nullable()
    .meta({
      description:
        'Makes the hint of `{{value}}`, the attribute’s value, and `{{issuer}}`, the provider’s issuer; a template that ' +
        'is a JSON object stays one. Null: as the profile of the token provider wants it.',
    }),
  subjectPolicy: z.enum(subjectPolicies).meta({
    description:
      'Whose approval counts. `record`: whomever the provider names. `hint`: the subject of the ID token or `iss_sub` ' +
      'identifier that is the hint. `bound`: the subject that `subjectAttribute` names. Anybody else’s fails the request.',
  }),
  subjectAttribute: attributeName.nullable(),
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
  signedRequest: z.union([z.boolean(), z.strictObject({ alg: z.enum(requestSigningAlgorithms) })]).meta({
    description:
      'Whether the start call is one signed JWT (CIBA Core 1.0 §7.1.1). `true` takes the algorithm from the metadata of ' +
      'the provider. Left out: false, and true with `fapi`; a rule with `fapi` may say false all the same.',
  }),
  authorizationDetails: authorizationDetails.nullable().meta({
    description:
      'What the person is asked in detail (RFC 9396). `{{attribute}}` in any string is replaced by the attribute of ' +
      'the request, which must then have it. The provider has to grant exactly these; else the request fails.',
  }),
  extraParameters: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'Use lower case letters, digits and underscore.'),
      z.string().max(2000),
    )
    .refine((parameters) => Object.keys(parameters).length <= 20, 'Use at most 20 parameters.')
    .meta({
      description:
        'Further parameters of the start call, such as `audience`; the profile of the token provider has to know them. ' +
        '`{{attribute}}` is replaced by the attribute of the request, which must then have it.',
    }),
  fapi: z.boolean().meta({
    description:
      'Holds the rule to FAPI-CIBA: signed requests and bound tokens unless the rule says otherwise, PS256 and ES256 only, `private-key-jwt` or `mutual-tls`, a binding ' +
      'message (made up when there is none) and no push. What contradicts it is refused.',
  }),
  dpop: z.boolean().meta({
    description:
      'Proves possession of a key at the token endpoint, for providers that demand it (RFC 9449). A token that is bound ' +
      'to that key is never released: nobody else could use it. Left out: false, and true with `fapi` and `private-key-jwt`.',
  }),
  releaseAccessToken: z.boolean(),
  consumeWithinSeconds: z.int().min(1).max(86_400),
  onInitiationUnknown: z.enum(initiationUnknownPolicies),
  promptLimits,
  joinIdentical: z.boolean().meta({
    description:
      'A request like one of the same client that still waits for the same person (the same attributes, binding message ' +
      'and callback address) is answered with that one, `Request-Joined: true`; the person is asked once.',
  }),
  enabled: z.boolean(),
};

/** A rule as an administrator writes it. */
export const ruleBody = z
  .strictObject({
    ...fields,
    hintKind: fields.hintKind.default('login_hint'),
    hintTemplate: fields.hintTemplate.default(null),
    subjectPolicy: fields.subjectPolicy.default('record'),
    subjectAttribute: fields.subjectAttribute.default(null),
    scopes: fields.scopes.default([]),
    requestedExpirySeconds: fields.requestedExpirySeconds.default(null),
    timeoutRejectionHandlerId: fields.timeoutRejectionHandlerId.default(null),
    denyRejectionHandlerId: fields.denyRejectionHandlerId.default(null),
    errorRejectionHandlerId: fields.errorRejectionHandlerId.default(null),
    bindingMessage: fields.bindingMessage.default(null),
    deliveryMode: fields.deliveryMode.default('poll'),
    acrValues: fields.acrValues.default([]),
    authorizationDetails: fields.authorizationDetails.default(null),
    extraParameters: fields.extraParameters.default({}),
    signedRequest: fields.signedRequest.optional(),
    fapi: fields.fapi.default(false),
    dpop: fields.dpop.optional(),
    releaseAccessToken: fields.releaseAccessToken.default(false),
    consumeWithinSeconds: fields.consumeWithinSeconds.default(300),
    onInitiationUnknown: fields.onInitiationUnknown.default('fail'),
    promptLimits: fields.promptLimits.default(null),
    joinIdentical: fields.joinIdentical.default(false),
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

/** Which request would be sent for these attributes. */
export const rulePreviewBody = z
  .strictObject({
    attributes,
    bindingMessage: z.string().min(1).max(1000).optional().meta({ description: "Overrides the rule's template." }),
  })
  .meta({ id: 'RulePreviewBody' });
export type RulePreviewBody = z.infer<typeof rulePreviewBody>;

/** The backchannel authentication request that a rule amounts to, and that nobody sends. */
export const rulePreview = z
  .strictObject({
    rule: ruleReference,
    bindingMessage: z.string().nullable().meta({ description: 'The text that the person would read.' }),
    request: z
      .strictObject({
        method: z.literal('POST'),
        url: z.string(),
        headers: z.record(z.string(), z.string()),
        form: z.record(z.string(), z.string()).meta({
          description: 'The parameters; secrets are replaced by `(secret)`, signatures by `(signature)`.',
        }),
        signed: z
          .record(z.string(), z.strictObject({ header: z.unknown(), claims: z.unknown() }))
          .meta({ description: 'What the signed parameters say.' }),
        clientCertificate: z.boolean().meta({ description: 'Whether the connection shows a client certificate.' }),
      })
      .nullable()
      .meta({ description: 'Null when no request could be made: `problem` says why.' }),
    problem: z
      .strictObject({ kind: z.enum(['unavailable', 'misconfigured']), detail: z.string() })
      .nullable()
      .meta({
        description: '`unavailable`: the provider cannot be reached now; `misconfigured`: somebody has to act.',
      }),
  })
  .meta({ id: 'RulePreview' });
export type RulePreview = z.infer<typeof rulePreview>;
