import { z } from 'zod';
import { id, instant } from './identifiers.js';
import { disabledReasons, type NoticeType } from './webhook-endpoints.http.js';

/** The certificate of a key pair ends soon: told 30, 14, 7 and 1 days ahead, each time once for a certificate. */
export const keyPairExpiring = z
  .strictObject({
    id,
    alias: z.string(),
    notAfter: instant,
    daysLeft: z.int().meta({ description: 'A day that has begun counts as a whole one; 0: it has ended.' }),
  })
  .meta({ id: 'KeyPairExpiring' });

/** An endpoint is told nothing any more. Its address may hold a credential, so only its host is told to others. */
export const webhookEndpointDisabled = z
  .strictObject({
    id,
    host: z.string(),
    description: z.string().nullable(),
    reason: z.enum(disabledReasons),
    failingSince: instant.nullable(),
    disabledAt: instant,
  })
  .meta({ id: 'WebhookEndpointDisabled' });

/** Somebody tries the endpoint. */
export const testPing = z.strictObject({ endpointId: id }).meta({ id: 'TestPing' });

/** What webhook endpoints are told beside decisions: the `data` of each type. */
export const noticeData = {
  'key_pair.expiring': keyPairExpiring,
  'webhook_endpoint.disabled': webhookEndpointDisabled,
  'test.ping': testPing,
} as const satisfies Record<NoticeType, z.ZodType>;

/** What each notice says, in a few words. */
export const noticeSummaries: Readonly<Record<NoticeType, string>> = {
  'key_pair.expiring': 'The certificate of a key pair ends in 30, 14, 7 or 1 days',
  'webhook_endpoint.disabled': 'A webhook endpoint was disabled because it failed for too long, or is gone',
  'test.ping': 'Somebody tries the endpoint',
};

/** A notice of any type. */
export type Notice = {
  [Type in NoticeType]: { readonly type: Type; readonly data: z.infer<(typeof noticeData)[Type]> };
}[NoticeType];

/** The body of a webhook that tells of something else than a decision. */
export const noticeEnvelope = (type: NoticeType) =>
  z.strictObject({ type: z.literal(type), timestamp: instant, data: noticeData[type] });
