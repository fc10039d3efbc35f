import { connect } from 'amqplib';
import type { CloudEvent } from '#lib/contracts';

/** What a subscriber of `assent.decisions` receives. */
export interface DecisionSubscription {
  /** The next event, in the order of arrival. */
  next(): Promise<CloudEvent>;
  /** Everything that has arrived so far and was not taken by `next`. */
  readonly unread: readonly CloudEvent[];
  stop(): Promise<void>;
}

/** Binds a queue of its own to the public exchange, as the documentation tells subscribers to. */
export async function subscribeToDecisions(amqpUrl: string, pattern = 'decision.#'): Promise<DecisionSubscription> {
  const connection = await connect(amqpUrl);
  connection.on('error', () => undefined);
  const channel = await connection.createChannel();
  await channel.assertExchange('assent.decisions', 'topic', { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'assent.decisions', pattern);
  const unread: CloudEvent[] = [];
  let wake = (): void => undefined;
  await channel.consume(
    queue,
    (message) => {
      if (!message) return;
      unread.push(JSON.parse(message.content.toString('utf8')) as CloudEvent);
      wake();
    },
    { noAck: true },
  );
  return {
    unread,
    next: async () => {
      while (unread.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return unread.shift()!;
    },
    stop: () => connection.close(),
  };
}
