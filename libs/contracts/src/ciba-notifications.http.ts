import { z } from 'zod';

/** A ping: an answer is there (CIBA Core 1.0 §10.2); or a push: this is the answer (§10.3, §12). */
export const cibaNotification = z
  .object({
    auth_req_id: z.string().min(1).max(16_384),
    access_token: z.string().optional(),
    token_type: z.string().optional(),
    expires_in: z.number().optional(),
    refresh_token: z.string().optional(),
    id_token: z.string().optional(),
    error: z.string().optional(),
    error_description: z.string().optional(),
  })
  .meta({ id: 'CibaNotification', description: 'What a token provider tells (CIBA Core 1.0 §10.2).' });
export type CibaNotification = z.infer<typeof cibaNotification>;
