import { z } from 'zod';
import { id, instant } from './identifiers.js';

const personText = z.string().trim().min(1).max(4096);

/** Who is to be erased, and what to do about requests that have not ended. */
export const erasureBody = z
  .strictObject({
    loginHint: personText.optional().meta({
      description: 'The login hint, or the name in it; case and blanks do not count.',
    }),
    subject: personText.optional().meta({ description: 'The subject that a token provider knows the person as.' }),
    open: z.enum(['refuse', 'cancel']).default('refuse').meta({
      description: 'What to do when requests of the person have not ended: nothing at all, or withdraw them.',
    }),
  })
  .refine(
    ({ loginHint, subject }) => (loginHint === undefined) !== (subject === undefined),
    'Give either loginHint or subject.',
  )
  .meta({ id: 'ErasureBody' });
export type ErasureBody = z.infer<typeof erasureBody>;

/** What was done. */
export const erasure = z
  .strictObject({
    id,
    erased: z.int().min(0).meta({ description: 'Requests from which everything that names the person was taken.' }),
    cancelled: z.int().min(0).meta({ description: 'Requests that were withdrawn for it.' }),
    createdAt: instant,
  })
  .meta({ id: 'Erasure' });
export type Erasure = z.infer<typeof erasure>;
