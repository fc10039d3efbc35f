import { brokerConfig, databaseConfig, outboundConfig, processConfig } from '#lib/runtime';
import { z } from 'zod';

const count = (byDefault: number) => z.coerce.number().int().positive().max(1_000_000).default(byDefault);

/** How long requests wait for their provider, and how the providers are spared. */
export const cibaWorkerTuning = z.object({
  ASSENT_START_WITHIN_SECONDS: count(900).describe(
    'A request that could not be put to its provider for so long, because Assent was down, expires unasked.',
  ),
  ASSENT_REFUSED_CLIENT_WAIT_SECONDS: count(60).describe(
    'How long a request whose client the provider refuses waits for that to be mended, before it fails.',
  ),
  CIBA_WORKER_MAX_IN_FLIGHT_PER_PROVIDER: count(64).describe('Start calls in flight at one provider.'),
  CIBA_WORKER_MAX_WAITING_PER_PROVIDER: count(2000).describe(
    'Requests of one provider that a worker has taken on; of twice as many more it keeps the ids, and the rest waits in the database.',
  ),
  CIBA_WORKER_SETTLE_SECONDS: count(20).describe(
    'How long start calls in flight may take to end when the worker stops; a call that is cut off counts as unknown.',
  ),
});
export type CibaWorkerTuning = Readonly<z.output<typeof cibaWorkerTuning>>;

/** What the worker is told by its environment. */
export const cibaWorkerConfig = z.object({
  ...processConfig.shape,
  ...databaseConfig.shape,
  ...brokerConfig.shape,
  ...outboundConfig.shape,
  ...cibaWorkerTuning.shape,
});
export type CibaWorkerConfig = Readonly<z.output<typeof cibaWorkerConfig>>;
