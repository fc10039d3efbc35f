import { httpUrl } from '#lib/contracts';
import { brokerConfig, databaseConfig, outboundConfig, processConfig } from '#lib/runtime';
import { z } from 'zod';

/** What the decision service is told by its environment. */
export const decisionServiceConfig = z.object({
  ...processConfig.shape,
  ...databaseConfig.shape,
  ...brokerConfig.shape,
  ...outboundConfig.shape,
  ASSENT_PUBLIC_URL: httpUrl.describe('Address under which clients reach Assent; the issuer (`iss`) of receipts.'),
});
/** The settings as read. */
export type DecisionServiceConfig = z.output<typeof decisionServiceConfig>;
