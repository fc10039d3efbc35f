import { httpUrl, retentionConfig } from '#lib/contracts';
import { brokerConfig, databaseConfig, outboundConfig, processConfig } from '#lib/runtime';
import { z } from 'zod';

/** How long keys are used that providers verify, and how long a webhook endpoint may fail. */
export const decisionServiceTuning = z.object({
  ASSENT_SIGNING_KEY_ROTATION_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(87_600)
    .default(720)
    .describe(
      'How long a key signs client assertions and requests. The next one is published at least half an hour before.',
    ),
  ASSENT_WEBHOOK_DISABLE_AFTER_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(8_760)
    .default(120)
    .describe('A webhook endpoint at which nothing has arrived for so long, while something was sent, is disabled.'),
});
export type DecisionServiceTuning = Readonly<z.output<typeof decisionServiceTuning>>;

/** What the decision service is told by its environment. */
export const decisionServiceConfig = z.object({
  ...processConfig.shape,
  ...databaseConfig.shape,
  ...brokerConfig.shape,
  ...outboundConfig.shape,
  ...decisionServiceTuning.shape,
  ...retentionConfig.shape,
  ASSENT_PUBLIC_URL: httpUrl.describe('Address under which clients reach Assent; the issuer (`iss`) of receipts.'),
});
/** The settings as read. */
export type DecisionServiceConfig = z.output<typeof decisionServiceConfig>;
