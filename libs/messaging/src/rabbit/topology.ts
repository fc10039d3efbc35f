import type { Channel, Options } from 'amqplib';
import { exchanges } from '#lib/contracts';
import type { ExchangeName } from '../event-publisher.js';

/** Where messages go that were given up on; a direct exchange, bound by the name of the queue that they were in. */
export const deadExchange = 'assent.dead';

/**
 * Whoever holds this queue looks at dead letters: it is exclusive, so the broker lets one connection have it, and takes it
 * back.
 */
export const turnQueue = 'assent.dead-letters.turn';

/**
 * Deliveries of one message before the broker gives it up. Only crashes and lost channels use them up: handlers that
 * fail do so in copies. Generous, because a dying process takes the innocent messages of its prefetch along.
 */
const deliveryLimit = 20;
/** Above it the publisher is refused and the outbox keeps the event: better a full table than a full broker. */
const longestQueue = 1_000_000;
/** A dead letter is a copy for the operator, the row in the database is the truth: the oldest may go. */
const longestDeadQueue = 100_000;
/** Hints are worth nothing when they are old. */
const longestHintQueue = 10_000;

/** One queue with its bindings. */
export interface QueueDeclaration {
  readonly name: string;
  readonly options: Options.AssertQueue;
  readonly bindings: readonly { readonly exchange: string; readonly routingKey: string }[];
}

/**
 * Everything that exists in the broker for one consumer group and one pattern, in the order of declaration: a queue
 * comes after those that its messages can go to.
 *
 * | queue                       | filled by                                   | its messages go to              |
 * |-----------------------------|---------------------------------------------|---------------------------------|
 * | `<queue>.dead`              | `assent.dead`                               | nowhere: an operator            |
 * | `<queue>`                   | the topic exchange, by the pattern          | `assent.dead`, at the limit     |
 * | `<queue>.retry.<delay>ms`   | the consumer's copies after a failure       | `<queue>`, when the delay is up |
 *
 * Every argument is explicit, because the defaults differ between versions of RabbitMQ, and a queue can never be
 * declared with other arguments than it has.
 */
export function workQueues(
  queue: string,
  from: { exchange: ExchangeName; pattern: string },
  retryDelaysMs: readonly number[],
): QueueDeclaration[] {
  return [
    {
      name: deadQueueOf(queue),
      options: quorum({
        'x-overflow': 'drop-head',
        'x-max-length': longestDeadQueue,
        // Looking at a dead letter is a delivery, too: without a limit of its own, 4.x would drop it after 20.
        'x-delivery-limit': 1_000_000,
      }),
      bindings: [{ exchange: deadExchange, routingKey: queue }],
    },
    {
      name: queue,
      options: quorum({ ...losingNothing(deadExchange, queue), 'x-delivery-limit': deliveryLimit }),
      bindings: [{ exchange: from.exchange, routingKey: from.pattern }],
    },
    ...retryDelaysMs.map((delayMs) => ({
      name: retryQueueOf(queue, delayMs),
      options: quorum({
        ...losingNothing('', queue),
        'x-delivery-limit': deliveryLimit,
        'x-message-ttl': delayMs,
      }),
      bindings: [],
    })),
  ];
}

/** The queue of one process for a pattern that every instance hears: it dies with the connection. */
export function hintQueue(name: string, from: { exchange: ExchangeName; pattern: string }): QueueDeclaration {
  return {
    name,
    options: {
      durable: false,
      exclusive: true,
      autoDelete: true,
      arguments: { 'x-queue-type': 'classic', 'x-overflow': 'drop-head', 'x-max-length': longestHintQueue },
    },
    bindings: [{ exchange: from.exchange, routingKey: from.pattern }],
  };
}

/** The dead queue that belongs to a queue. */
export function deadQueueOf(queue: string): string {
  return `${queue}.dead`;
}

/** One queue per delay: where each message has a time of its own, the longest at the head holds up the others. */
export function retryQueueOf(queue: string, delayMs: number): string {
  return `${queue}.retry.${delayMs}ms`;
}

/** Declares the exchanges: the two topics and the dead-letter exchange. */
export async function declareExchanges(channel: Channel): Promise<void> {
  for (const name of Object.values(exchanges)) await channel.assertExchange(name, 'topic', { durable: true });
  await channel.assertExchange(deadExchange, 'direct', { durable: true });
}

/** @throws with 406 in its message when a queue of that name exists with other arguments. */
export async function declareQueue(channel: Channel, { name, options, bindings }: QueueDeclaration): Promise<void> {
  await channel.assertQueue(name, options);
  for (const { exchange, routingKey } of bindings) await channel.bindQueue(name, exchange, routingKey);
}

function quorum(more: Record<string, unknown>): Options.AssertQueue {
  return { durable: true, arguments: { 'x-queue-type': 'quorum', ...more } };
}

/** A message leaves the queue only after its next place has confirmed it. */
function losingNothing(exchange: string, routingKey: string): Record<string, unknown> {
  return {
    'x-dead-letter-exchange': exchange,
    'x-dead-letter-routing-key': routingKey,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
    'x-max-length': longestQueue,
  };
}
