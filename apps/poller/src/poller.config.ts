import { brokerConfig, databaseConfig, outboundConfig, processConfig } from '#lib/runtime';
import { z } from 'zod';

const seconds = (byDefault: number) => z.coerce.number().positive().max(3600).default(byDefault);
const count = (byDefault: number) => z.coerce.number().int().positive().max(1_000_000).default(byDefault);

/** How the poller shares its work with others and spares the providers. */
export const pollerTuning = z.object({
  POLLER_LEASE_SECONDS: seconds(10).describe('How long a poller that does not renew keeps its shards.'),
  POLLER_RENEW_SECONDS: seconds(2).describe('How often a poller renews its shards.'),
  POLLER_LEASE_MARGIN_SECONDS: seconds(3).describe('How long before its lease ends a poller sends its last poll.'),
  POLLER_SWEEP_SECONDS: seconds(15).describe('How often pending requests are looked up that no event told of.'),
  POLLER_HAND_OVER_SECONDS: seconds(8).describe('How long polls in flight may take to end when shards are given away.'),
  POLLER_MAX_IN_FLIGHT: count(1024).describe('Polls in flight, all providers together.'),
  POLLER_MAX_IN_FLIGHT_PER_PROVIDER: count(256).describe('Polls in flight at one provider.'),
  POLLER_POLLS_PER_SECOND_PER_PROVIDER: count(5000).describe(
    'Polls per second at one provider; where this does not suffice, everybody’s interval grows alike.',
  ),
});
export type PollerTuning = Readonly<z.output<typeof pollerTuning>>;

/** What the poller is told by its environment. */
export const pollerConfig = z.object({
  ...processConfig.shape,
  ...databaseConfig.shape,
  ...brokerConfig.shape,
  ...outboundConfig.shape,
  ...pollerTuning.shape,
});
export type PollerConfig = Readonly<z.output<typeof pollerConfig>>;
