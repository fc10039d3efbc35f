import { connect, type Channel, type GetMessage } from 'amqplib';
import type { DeadLetter } from '../event-bus.js';
import type { RabbitLimits } from './limits.js';
import { attemptHeader, reasonHeader } from './rabbit-transport.js';
import { within } from './time-limit.js';
import { deadQueueOf } from './topology.js';

/**
 * The oldest dead letters of a queue, over a connection of its own; they stay where they are.
 *
 * @throws when the broker is away or there is no such queue.
 */
export async function readDeadLetters(
  url: string,
  queue: string,
  limit: number,
  limits: RabbitLimits,
): Promise<readonly DeadLetter[]> {
  const { connectMs, callMs } = limits;
  const connection = await connect(url, { noDelay: true, timeout: connectMs });
  connection.on('error', () => {});
  try {
    const channel = await within(callMs, 'opening a channel', connection.createChannel());
    channel.on('error', () => {});
    return await within(callMs, `reading ${deadQueueOf(queue)}`, take(channel, deadQueueOf(queue), limit));
  } finally {
    // Nothing was acknowledged: with the connection every message goes back to its place.
    await within(callMs, 'closing the connection', connection.close()).catch(() => {});
  }
}

async function take(channel: Channel, queue: string, limit: number): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  while (letters.length < limit) {
    const message = await channel.get(queue);
    if (!message) break;
    letters.push(letterOf(message));
  }
  return letters;
}

function letterOf({ content, properties }: GetMessage): DeadLetter {
  const headers: Record<string, unknown> = properties.headers ?? {};
  return {
    id: (properties.messageId as string | undefined) ?? null,
    reason: textOr(headers[reasonHeader]) ?? textOr(headers['x-first-death-reason']) ?? 'unknown',
    attempts: Number(headers[attemptHeader] ?? 0),
    body: content.toString('utf8'),
  };
}

function textOr(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
