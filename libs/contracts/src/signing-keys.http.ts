import { z } from 'zod';
import { instant } from './identifiers.js';

export const signingKeyUses = ['client-assertion', 'request-object', 'receipt', 'callback', 'audit'] as const;

/** A key that Assent signs with; the private part is never shown, the public one is in the key set. */
export const signingKey = z
  .strictObject({
    kid: z.string().meta({ description: 'Its name in the key set: a thumbprint (RFC 7638).' }),
    use: z.enum(signingKeyUses).meta({
      description:
        '`client-assertion` and `request-object` change in time; what `receipt`, `callback` and `audit` have signed is ' +
        'verified for years, and they stay.',
    }),
    alg: z.enum(['ES256', 'PS256', 'EdDSA']),
    state: z.enum(['next', 'current', 'retired']).meta({
      description: '`next`: published ahead, signs nothing yet. `retired`: signs no more, still published.',
    }),
    createdAt: instant,
    activatedAt: instant.nullable().meta({ description: 'When it began to sign.' }),
    retiredAt: instant.nullable().meta({ description: 'When it signed last.' }),
  })
  .meta({ id: 'SigningKey' });
export type SigningKeyDocument = z.infer<typeof signingKey>;

export const signingKeyList = z.strictObject({ data: z.array(signingKey) }).meta({ id: 'SigningKeyList' });
export type SigningKeyList = z.infer<typeof signingKeyList>;
