import { z } from 'zod';
import { instant } from './identifiers.js';

/** A master key that has sealed something in this database; the key itself is never shown. */
export const masterKey = z
  .strictObject({
    id: z.string(),
    state: z.enum(['active', 'opens', 'missing']).meta({
      description:
        '`active`: it seals what is new. `opens`: it is configured, and opens what it has sealed. `missing`: it is not ' +
        'configured in the instance that answers.',
    }),
    createdAt: instant.meta({ description: 'When it was first active.' }),
    resealedAt: instant.nullable().meta({ description: 'When a whole pass last found nothing to seal anew.' }),
    sealedValues: z.int().meta({ description: 'How many stored values it has sealed; this number has to reach 0.' }),
    openRequests: z.int().meta({
      description: 'Requests from before the next key that have not ended: their notifications may bear its mark.',
    }),
    removable: z.boolean().meta({ description: 'Whether it can be taken out.' }),
  })
  .meta({ id: 'MasterKey' });
export type MasterKey = z.infer<typeof masterKey>;

export const masterKeyList = z.strictObject({ data: z.array(masterKey) }).meta({ id: 'MasterKeyList' });
export type MasterKeyList = z.infer<typeof masterKeyList>;
