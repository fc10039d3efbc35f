import { z } from 'zod';

/** A ping: an answer is there (CIBA Core 1.0 §10.2). */
export const cibaNotification = z
  .object({ auth_req_id: z.string().min(1).max(16_384) })
  .meta({ id: 'CibaNotification', description: 'What a token provider tells (CIBA Core 1.0 §10.2).' });
export type CibaNotification = z.infer<typeof cibaNotification>;
