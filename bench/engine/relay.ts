import { randomUUID } from 'node:crypto';
import { createRabbitBus, OutboxRelay, type EventBus } from '#lib/messaging';
import { Database } from '#lib/persistence';
import { serve } from '../harness/serve.js';
import { Arrivals, type Latencies, type SteadyEvents } from '../limits/arrivals.js';
import { sharedNowMs } from '../outside/stub-provider.js';
import { requestOf } from '../seed/request-of.js';

/** Assent's outbox and relay, and a consumer that tells when an event has come. */
export interface RelayConfig {
  readonly databaseUrl: string;
  readonly masterKeys: string;
  readonly amqpUrl: string;
  readonly ruleId: string;
  readonly apiClientId: string;
}

let config: RelayConfig;
let database: Database;
let relay: OutboxRelay;
let bus: EventBus;

async function start(given: RelayConfig): Promise<void> {
  config = given;
  const { databaseUrl, masterKeys, amqpUrl } = given;
  database = await Database.open({ url: databaseUrl, masterKeys, source: '/assent/bench' });
  bus = createRabbitBus({ url: amqpUrl, instanceId: randomUUID() });
  await bus.whenConnected();
  // What the sweep finds is what this process did not publish itself: nothing is too young for it here.
  relay = new OutboxRelay({ outbox: database.outbox, publisher: bus, olderThanMs: 0 });
  database.onEvents((events) => relay.offer(events));
}

/** Stores requests at a steady rate; from the commit of each to its event at the consumer. */
async function latencies({ queue, perSecond, count }: SteadyEvents): Promise<Latencies> {
  const rule = (await database.rules.find(config.ruleId))!;
  const arrivals = await Arrivals.listen(config.amqpUrl, queue);
  const committedAtMs = new Map<string, number>();
  const one = async () => {
    const request = requestOf(rule, config);
    const made = await database.requests.submit(request);
    committedAtMs.set(request.id, sharedNowMs());
    if (made.kind !== 'created') throw new Error(made.kind);
  };
  return arrivals.measure({ perSecond, count, one, committedAtMs });
}

/** Sweeps as the relay does while there is more; answers how many rows it found. */
const drain = (): Promise<number> => relay.sweepAll();

serve({ start, drain, latencies });
