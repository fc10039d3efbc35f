import type { MessageHandler } from '@nestjs/microservices';
import { exchanges } from '#lib/contracts';
import type { ExchangeName } from './event-publisher.js';

const deliveryModes = ['one-instance', 'every-instance', 'every-waiting-instance'] as const;

/**
 * Who gets an event: `one-instance` = one process of the consumer group, from a durable queue, at least once;
 * `every-instance` = each process that runs just now, once at most; `every-waiting-instance` = each process in which
 * somebody waits just now (`EventBus.attention`), once at most.
 */
export type DeliveryMode = (typeof deliveryModes)[number];

/** What one handler wants to hear. */
export interface Subscription {
  readonly exchange: ExchangeName;
  readonly pattern: string;
  readonly delivery: DeliveryMode;
  readonly handler: MessageHandler;
}

const exchangeOfFirstWord = new Map<string, ExchangeName>([
  ['authorization', exchanges.authorizations],
  ['decision', exchanges.decisions],
]);
const word = /^([a-z0-9_-]+|\*|#)$/;
const groupName = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** AMQP allows 255 bytes for a queue's name; retry queues append to it. */
const longestQueueName = 200;

/**
 * Reads what `@EventPattern(pattern, extras)` says.
 *
 * @throws when the pattern belongs to no exchange or the delivery mode is unknown: the service then does not start.
 */
export function subscriptionOf(pattern: string, extras: object, handler: MessageHandler): Subscription {
  const words = pattern.split('.');
  const exchange = exchangeOfFirstWord.get(words[0] ?? '');
  if (!exchange || !words.every((each) => word.test(each))) {
    throw new Error(`"${pattern}" is no event pattern: words, * and #, and the first of authorization or decision`);
  }
  return { exchange, pattern, delivery: deliveryOf(extras, pattern), handler };
}

function deliveryOf(extras: object, pattern: string): DeliveryMode {
  const delivery = 'delivery' in extras ? extras.delivery : 'one-instance';
  const mode = deliveryModes.find((each) => each === delivery);
  if (mode) return mode;
  throw new Error(`"${pattern}": delivery is ${deliveryModes.join(' or ')}, not ${JSON.stringify(delivery)}`);
}

/** The name of the queue of a consumer group for a pattern: `<consumer>.<pattern>`. */
export function queueName(consumer: string, pattern: string): string {
  const name = `${consumer}.${pattern}`;
  if (name.length > longestQueueName) throw new Error(`the queue name ${name} is longer than ${longestQueueName}`);
  return name;
}

/** @throws when it is no name for a consumer group. */
export function checkConsumerName(name: string): void {
  if (!groupName.test(name)) throw new Error(`"${name}" is no consumer name: lower-case words joined by hyphens`);
}
