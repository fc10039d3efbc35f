import { z } from 'zod';

/** An event between the services and to subscribers: CloudEvents 1.0, structured mode. */
export const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).meta({ description: 'Stable over redelivery: the key for telling duplicates.' }),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().min(1).meta({ description: 'The id of the authorization request.' }),
  time: z.iso.datetime({ offset: true }),
  datacontenttype: z.literal('application/json'),
  traceparent: z.string().optional(),
  data: z.unknown(),
});
export type CloudEvent = z.infer<typeof cloudEvent>;
