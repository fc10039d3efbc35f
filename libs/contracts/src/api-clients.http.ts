import { z } from 'zod';
import { httpUrl, id, instant, name } from './identifiers.js';

export const scopes = ['requests:write', 'requests:read', 'admin:read', 'admin:write'] as const;
export type Scope = (typeof scopes)[number];

const subjectText = z
  .string()
  .trim()
  .min(1)
  .max(256)
  .regex(/^\P{Cc}*$/u, 'It has no control characters.');

/** People whom an API client may have asked; everything that is given has to hold. */
export const subjectEntitlement = z
  .strictObject({
    equals: subjectText.optional().meta({ description: 'The whole login hint.' }),
    endsWith: subjectText.optional().meta({ description: 'The end of the login hint, for example `@example.com`.' }),
    attributes: z
      .record(z.string().min(1).max(64), z.union([z.string().max(256), z.number(), z.boolean()]))
      .refine((value) => Object.keys(value).length <= 16, 'At most 16 attributes.')
      .optional()
      .meta({ description: 'Attributes of the request, with these values exactly.' }),
  })
  .refine(
    ({ equals, endsWith, attributes }) =>
      equals !== undefined || endsWith !== undefined || Object.keys(attributes ?? {}).length > 0,
    'Give at least one of equals, endsWith and attributes.',
  );

/** Under which name an authorization server knows a client of ours. */
export const oauthClient = z.strictObject({
  issuer: httpUrl.meta({
    description: 'Exactly as its access tokens write it in `iss`; one of those that are configured.',
  }),
  clientId: z
    .string()
    .regex(/^[\x20-\x7E]{1,256}$/, 'Give 1 to 256 printable ASCII characters.')
    .meta({ description: 'What its access tokens have in `client_id`, or in `sub` when they have no `client_id`.' }),
});

const fields = {
  name,
  scopes: z.array(z.enum(scopes)).min(1),
  enabled: z.boolean().meta({ description: 'False: every call of this client is answered 401.' }),
  rules: z
    .array(id)
    .max(100)
    .nullable()
    .meta({ description: 'The rules that this client may use, and use approvals of. Null: all of them.' }),
  subjects: z
    .array(subjectEntitlement)
    .max(200)
    .nullable()
    .meta({
      description:
        'The people whom this client may have asked: one entry has to fit. Hints are compared without regard to case, ' +
        'blanks and compatibility forms. Null: everybody.',
    }),
  requestsPerMinute: z
    .int()
    .min(0)
    .max(1_000_000)
    .nullable()
    .meta({ description: 'How many requests are taken in a minute of the clock; 0: no limit. Null: as configured.' }),
  expiresAt: instant
    .nullable()
    .meta({ description: 'When the key ends; from then on it is answered 401. Null: never.' }),
  oauthClient: oauthClient.nullable().meta({
    description:
      'The client of an authorization server whose access tokens (RFC 9068) count as credentials of this API client, ' +
      'beside its key. A token can do what its `scope` and the scopes here have in common. Null: keys only.',
  }),
};

export const apiClientBody = z
  .strictObject({
    ...fields,
    enabled: fields.enabled.default(true),
    rules: fields.rules.default(null),
    subjects: fields.subjects.default(null),
    requestsPerMinute: fields.requestsPerMinute.default(null),
    expiresAt: fields.expiresAt.default(null),
    oauthClient: fields.oauthClient.default(null),
    callbackSecret: z
      .boolean()
      .default(false)
      .meta({ description: 'True: make a secret with which callbacks of this client are signed `v1` as well.' }),
  })
  .meta({ id: 'ApiClientBody' });
export type ApiClientBody = z.infer<typeof apiClientBody>;

/** A merge patch; key and callback secret are made once and stay. */
export const apiClientPatch = z.strictObject(fields).partial().meta({ id: 'ApiClientPatch' });
export type ApiClientPatch = z.infer<typeof apiClientPatch>;

export const apiClient = z
  .strictObject({
    id,
    ...fields,
    name: z.string(),
    keyPrefix: z.string().meta({ description: 'The first characters of the key, to tell keys apart.' }),
    previousKey: z
      .strictObject({ prefix: z.string(), expiresAt: instant })
      .nullable()
      .meta({ description: 'The key before the last rotation: it works until then.' }),
    lastUsedAt: instant
      .nullable()
      .meta({ description: 'When a key or an access token was last used; coarse, and told some minutes late.' }),
    hasCallbackSecret: z.boolean(),
    version: z.int().positive(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'ApiClient' });
export type ApiClient = z.infer<typeof apiClient>;

/** How long the key that a rotation makes lives, unless the rotation says otherwise. */
export const rotatedKeyLifeDays = 365;

/** How a key is replaced. */
export const rotateKeyBody = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(2_592_000)
      .default(0)
      .meta({ description: 'How long the key that is replaced still works; 0: not at all. No two rotations overlap.' }),
    expiresAt: fields.expiresAt.optional().meta({
      description: `When the new key ends. Left out: in ${rotatedKeyLifeDays} days. Null, and only if said so: never.`,
    }),
  })
  .meta({ id: 'RotateKeyBody' });
export type RotateKeyBody = z.infer<typeof rotateKeyBody>;

/** The answer to a rotation: the only time that the new key is shown. */
export const rotatedApiClient = z
  .strictObject({ ...apiClient.shape, key: z.string() })
  .meta({ id: 'RotatedApiClient' });
export type RotatedApiClient = z.infer<typeof rotatedApiClient>;

/** The answer to a creation: the only time that key and secret are shown. */
export const createdApiClient = z
  .strictObject({ ...apiClient.shape, key: z.string(), callbackSecret: z.string().nullable() })
  .meta({ id: 'CreatedApiClient' });
export type CreatedApiClient = z.infer<typeof createdApiClient>;
