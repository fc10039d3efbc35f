import { apiClientBody } from '#lib/contracts';
import type { z } from 'zod';

/** What of an API client can change; its key and its callback secret are made once. */
export const apiClientChangeBody = apiClientBody.omit({ callbackSecret: true });
export type ApiClientChangeBody = z.infer<typeof apiClientChangeBody>;
