import { consoleConfig } from '#lib/assembly';
import { accessTokenConfig, httpUrl, promptLimitConfig } from '#lib/contracts';
import {
  brokerConfig,
  databaseConfig,
  inboundConfig,
  notificationListenerConfig,
  outboundConfig,
  processConfig,
  secret,
} from '#lib/runtime';
import { z } from 'zod';

/** What the rules service is told by its environment. */
export const rulesServiceConfig = z.object({
  ...processConfig.shape,
  ...databaseConfig.shape,
  ...brokerConfig.shape,
  ...outboundConfig.shape,
  ...inboundConfig.shape,
  ...notificationListenerConfig.shape,
  ...promptLimitConfig.shape,
  ...accessTokenConfig.shape,
  ...consoleConfig.shape,
  ASSENT_API_KEY: secret(
    z.string().regex(/^[\x21-\x7E]{24,1024}$/, 'must be 24 printable characters or more, without blanks'),
  ).describe('The first API key, with all scopes.'),
  ASSENT_FAREWELL_SECONDS: z.coerce
    .number()
    .min(0)
    .max(60)
    .default(3)
    .describe(
      'How long calls are still taken after a stop was asked for and /health/ready says 503: as long as a load balancer needs to notice.',
    ),
  ASSENT_PUBLIC_URL: httpUrl.describe('Address under which clients reach Assent; the issuer (`iss`) of receipts.'),
});
export type RulesServiceConfig = z.output<typeof rulesServiceConfig>;
