import { z } from 'zod';
import { id, instant, name } from './identifiers.js';

export const scopes = ['requests:write', 'requests:read', 'admin:read', 'admin:write'] as const;
export type Scope = (typeof scopes)[number];

export const apiClientBody = z
  .strictObject({
    name,
    scopes: z.array(z.enum(scopes)).min(1),
    callbackSecret: z
      .boolean()
      .default(false)
      .meta({ description: 'True: make a secret with which callbacks of this client are signed `v1` as well.' }),
  })
  .meta({ id: 'ApiClientBody' });
export type ApiClientBody = z.infer<typeof apiClientBody>;

/** A merge patch; key and callback secret are made once and stay. */
export const apiClientPatch = z
  .strictObject({ name, scopes: apiClientBody.shape.scopes })
  .partial()
  .meta({ id: 'ApiClientPatch' });
export type ApiClientPatch = z.infer<typeof apiClientPatch>;

export const apiClient = z
  .strictObject({
    id,
    name: z.string(),
    scopes: z.array(z.enum(scopes)),
    keyPrefix: z.string().meta({ description: 'The first characters of the key, to tell keys apart.' }),
    hasCallbackSecret: z.boolean(),
    version: z.int().positive(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'ApiClient' });
export type ApiClient = z.infer<typeof apiClient>;

/** The answer to a creation: the only time that key and secret are shown. */
export const createdApiClient = z
  .strictObject({ ...apiClient.shape, key: z.string(), callbackSecret: z.string().nullable() })
  .meta({ id: 'CreatedApiClient' });
export type CreatedApiClient = z.infer<typeof createdApiClient>;
