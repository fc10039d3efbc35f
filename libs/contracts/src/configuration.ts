import type { ConfiguredKind } from '#lib/domain';
import { z } from 'zod';
import { apiClientBody } from './api-clients.http.js';
import { name } from './identifiers.js';
import { keyPairGeneration } from './key-pairs.http.js';
import { rejectionHandlerBody } from './rejection-handlers.http.js';
import { clientCredentialsBody, ruleBody } from './rules.http.js';
import { tokenProviderBody } from './token-providers.http.js';
import { webhookEndpointBody } from './webhook-endpoints.http.js';

const named = (what: string) => name.meta({ description: `The name of ${what}.` });
const handler = named('a rejection handler').nullable().default(null);
const [secretCredentials, mutualTlsCredentials, keyCredentials] = clientCredentialsBody.options;

/** A rule as a configuration has it: what it refers to goes by its name. */
export const configuredRule = ruleBody
  .omit({
    tokenProviderId: true,
    clientCredentials: true,
    timeoutRejectionHandlerId: true,
    denyRejectionHandlerId: true,
    errorRejectionHandlerId: true,
  })
  .extend({
    type: ruleBody.shape.type.default('one-time-authorization'),
    tokenProvider: named('a token provider'),
    clientCredentials: z.discriminatedUnion('type', [
      z.strictObject({
        ...secretCredentials.shape,
        clientSecret: secretCredentials.shape.clientSecret.meta({
          description: 'Left out: the secret that the rule has stays.',
        }),
      }),
      z.strictObject({
        type: mutualTlsCredentials.shape.type,
        keyPair: named('a key pair'),
        method: mutualTlsCredentials.shape.method,
      }),
      keyCredentials,
    ]),
    timeoutRejectionHandler: handler,
    denyRejectionHandler: handler,
    errorRejectionHandler: handler,
  })
  .meta({ id: 'ConfiguredRule' });
export type ConfiguredRule = z.infer<typeof configuredRule>;

export const configuredTokenProvider = tokenProviderBody
  .extend({ name: tokenProviderBody.shape.name })
  .meta({ id: 'ConfiguredTokenProvider' });
export type ConfiguredTokenProvider = z.infer<typeof configuredTokenProvider>;

/** A key pair. Without key material it has to be there already. */
export const configuredKeyPair = z
  .strictObject({
    alias: name,
    pem: z
      .strictObject({
        certificate: z.string().max(262_144).meta({ description: 'PEM: the certificate, then its chain.' }),
        privateKey: z
          .string()
          .max(65_536)
          .optional()
          .meta({ description: 'PEM; may be encrypted. Left out: the key that is there stays.' }),
      })
      .optional(),
    pkcs12: z.base64().max(524_288).optional().meta({ description: 'A PKCS#12 file, base64.' }),
    password: z.string().max(1024).optional(),
    generate: keyPairGeneration
      .optional()
      .meta({ description: 'Made when there is no key pair of this alias; one that is there stays as it is.' }),
  })
  .refine((body) => [body.pem, body.pkcs12, body.generate].filter((one) => one !== undefined).length <= 1, {
    message: 'Give at most one of pem, pkcs12 and generate.',
    path: ['pem'],
  })
  .meta({ id: 'ConfiguredKeyPair' });
export type ConfiguredKeyPair = z.infer<typeof configuredKeyPair>;

const webhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'Give whsec_ and 24 to 64 random bytes in base64.');

export const configuredWebhookEndpoint = webhookEndpointBody
  .extend({
    name: named('the endpoint; it tells endpoints apart'),
    secret: webhookSecret
      .optional()
      .meta({ description: 'Left out: the secret that is there stays; a new endpoint gets one, shown once.' }),
  })
  .meta({ id: 'ConfiguredWebhookEndpoint' });
export type ConfiguredWebhookEndpoint = z.infer<typeof configuredWebhookEndpoint>;

export const configuredApiClient = apiClientBody
  .omit({ rules: true, callbackSecret: true })
  .extend({
    rules: z.array(name).max(100).nullable().default(null).meta({
      description: 'The names of the rules that this client may use, and use approvals of. Null: all of them.',
    }),
    key: z
      .string()
      .regex(/^assent_[\w-]{43}$/, 'Give assent_ and 32 random bytes in base64url.')
      .optional()
      .meta({ description: 'Left out: the key that is there stays; a new client gets one, shown once.' }),
    callbackSecret: z
      .union([webhookSecret, z.literal(true)])
      .optional()
      .meta({ description: 'True: one is made when there is none, and shown once. Left out: it stays as it is.' }),
  })
  .meta({ id: 'ConfiguredApiClient' });
export type ConfiguredApiClient = z.infer<typeof configuredApiClient>;

/** A whole configuration. What a section leaves out stays as it is, unless what is left out is pruned. */
export const configuration = z
  .strictObject({
    $schema: z.string().max(2048).optional().meta({ description: 'For editors; not looked at.' }),
    version: z.literal(1).default(1).meta({ description: 'Of this format.' }),
    tokenProviders: z.array(configuredTokenProvider).max(200).optional(),
    keyPairs: z.array(configuredKeyPair).max(100).optional(),
    rejectionHandlers: z.array(rejectionHandlerBody).max(500).optional(),
    rules: z.array(configuredRule).max(1000).optional(),
    webhookEndpoints: z.array(configuredWebhookEndpoint).max(200).optional(),
    apiClients: z.array(configuredApiClient).max(1000).optional(),
  })
  .meta({ id: 'Configuration' });
export type Configuration = z.infer<typeof configuration>;

/** A configuration as somebody writes it: defaults left out. */
export type ConfigurationInput = z.input<typeof configuration>;

/** The sections of a configuration: what each holds, in the order in which what is referred to comes first. */
export const configurationSections = {
  tokenProviders: { kind: 'token-provider', noun: 'token provider', nameMember: 'name' },
  keyPairs: { kind: 'key-pair', noun: 'key pair', nameMember: 'alias' },
  rejectionHandlers: { kind: 'rejection-handler', noun: 'rejection handler', nameMember: 'name' },
  rules: { kind: 'rule', noun: 'rule', nameMember: 'name' },
  webhookEndpoints: { kind: 'webhook-endpoint', noun: 'webhook endpoint', nameMember: 'name' },
  apiClients: { kind: 'api-client', noun: 'API client', nameMember: 'name' },
} as const satisfies Readonly<Record<string, { kind: ConfiguredKind; noun: string; nameMember: 'name' | 'alias' }>>;
export type ConfigurationSection = keyof typeof configurationSections;
