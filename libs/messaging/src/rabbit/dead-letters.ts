import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Channel, type ChannelModel, type GetMessage } from 'amqplib';
import { letterOf, type DeadLetter, type DeadLetterOffice } from '../dead-letter.js';
import type { RabbitLimits } from './limits.js';
import type { RabbitPublisher } from './rabbit-publisher.js';
import { attemptHeader, diedAtHeader, reasonHeader } from './rabbit-transport.js';
import { within } from './time-limit.js';
import { deadQueueOf, turnQueue } from './topology.js';

/** Messages that one look takes into its hands at most. */
const mostAtOnce = 10_000;

/** What becomes of a letter that was taken into our hands. */
type Fate = 'gone' | 'stays';

const askForTurnEveryMs = 100;
const countEveryMs = 20;

/**
 * The dead queues of the broker, each call over a connection of its own. What one call holds in its hands another would
 * not see and not count, as if it were gone: so all calls take turns, those of other processes too.
 */
export class RabbitDeadLetters implements DeadLetterOffice {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly limits: RabbitLimits,
    private readonly publisher: RabbitPublisher,
  ) {}

  async list(queues: readonly string[], limit: number): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    await this.walk(queues, limit, async (letter) => {
      letters.push(letter);
      return 'stays';
    });
    return letters;
  }

  async find(queues: readonly string[], key: string): Promise<DeadLetter | null> {
    let found: DeadLetter | null = null;
    await this.walk(queues, mostAtOnce, async (letter, stop) => {
      if (letter.key !== key) return 'stays';
      found = letter;
      stop();
      return 'stays';
    });
    return found;
  }

  async replay(queues: readonly string[], key: string): Promise<boolean> {
    return this.takeOne(queues, key, (letter, message) => this.putBack(letter, message));
  }

  async replayAll(queues: readonly string[], limit: number): Promise<{ replayed: number; left: number }> {
    const before = await this.count(queues);
    const there = [...before.values()].reduce((sum, count) => sum + count, 0);
    let replayed = 0;
    // No more than were there: what dies again is not put back in a circle.
    await this.walk(queues, Math.min(limit, there), async (letter, _stop, message) => {
      await this.putBack(letter, message);
      replayed++;
      return 'gone';
    });
    return { replayed, left: there - replayed };
  }

  async drop(queues: readonly string[], key: string): Promise<boolean> {
    return this.takeOne(queues, key, async () => undefined);
  }

  async count(queues: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    await this.connected(async (model) => {
      for (const queue of queues) {
        await this.onQueue(model, queue, async (_channel, count) => void counts.set(queue, count));
      }
    });
    return counts;
  }

  private async takeOne(
    queues: readonly string[],
    key: string,
    take: (letter: DeadLetter, message: GetMessage) => Promise<void>,
  ): Promise<boolean> {
    let taken = false;
    await this.walk(queues, mostAtOnce, async (letter, stop, message) => {
      if (letter.key !== key) return 'stays';
      await take(letter, message);
      taken = true;
      stop();
      return 'gone';
    });
    return taken;
  }

  /** Safe in its queue, or rejects; the attempts begin anew. */
  private async putBack({ queue }: DeadLetter, { content, properties }: GetMessage): Promise<void> {
    const headers: Record<string, unknown> = properties.headers ?? {};
    const trace = ['traceparent', 'tracestate'].filter((name) => typeof headers[name] === 'string');
    await this.publisher.send({
      exchange: '',
      routingKey: queue,
      body: content,
      properties: {
        messageId: (properties.messageId as string | undefined) ?? '',
        type: properties.type as string | undefined,
        contentType: properties.contentType as string | undefined,
        headers: Object.fromEntries(trace.map((name) => [name, headers[name]])),
      },
    });
  }

  /** Takes letter after letter into our hands, and puts those that stay back before anybody else looks. */
  private async walk(
    queues: readonly string[],
    limit: number,
    visit: (letter: DeadLetter, stop: () => void, message: GetMessage) => Promise<Fate>,
  ): Promise<void> {
    let left = limit;
    await this.connected(async (model) => {
      for (const queue of queues) {
        await this.onQueue(model, queue, async (channel, count) => {
          let held = 0;
          while (left > 0) {
            const message = await within(this.limits.callMs, 'taking a dead letter', channel.get(deadQueueOf(queue)));
            if (!message) break;
            left--;
            const fate = await visit(read(queue, message), () => (left = 0), message);
            if (fate === 'gone') {
              channel.ack(message);
              count--;
            } else held++;
          }
          if (held > 0) await this.backInPlace(channel, deadQueueOf(queue), count);
        });
      }
    });
  }

  /** The broker puts back in its own time: what it has not counted yet, whoever looks next would not see. */
  private async backInPlace(channel: Channel, queue: string, count: number): Promise<void> {
    const { callMs } = this.limits;
    channel.nackAll(true);
    for (const deadline = performance.now() + callMs; performance.now() < deadline; await pause(countEveryMs)) {
      const { messageCount } = await within(callMs, 'counting what was put back', channel.checkQueue(queue));
      if (messageCount >= count) return;
    }
  }

  /** On a channel of its own: asking for a queue that does not exist ends the channel. */
  private async onQueue(
    model: ChannelModel,
    queue: string,
    work: (channel: Channel, count: number) => Promise<void>,
  ): Promise<void> {
    const { callMs } = this.limits;
    const channel = await within(callMs, 'opening a channel', model.createChannel());
    channel.on('error', () => {});
    try {
      const { messageCount } = await within(callMs, 'asking for a queue', channel.checkQueue(deadQueueOf(queue)));
      await work(channel, messageCount);
    } catch (error) {
      if ((error as { code?: unknown }).code === 404) return;
      throw error;
    }
    // What was acknowledged is gone for certain once the broker has said that the channel is closed.
    await within(callMs, 'closing a channel', channel.close());
  }

  /** Waits as long as one call may take; the turn ends with the connection. */
  private async takeTurn(model: ChannelModel): Promise<void> {
    const { callMs } = this.limits;
    const deadline = performance.now() + callMs;
    for (;;) {
      const channel = await within(callMs, 'opening a channel', model.createChannel());
      channel.on('error', () => {});
      try {
        const queue = { exclusive: true, durable: false, autoDelete: true };
        await within(callMs, 'taking a turn', channel.assertQueue(turnQueue, queue));
        return;
      } catch (error) {
        if (!isLocked(error) || performance.now() >= deadline) throw error;
      }
      await pause(askForTurnEveryMs);
    }
  }

  private connected(work: (model: ChannelModel) => Promise<void>): Promise<void> {
    const turn = this.last.then(() => this.connectAnd(work));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async connectAnd(work: (model: ChannelModel) => Promise<void>): Promise<void> {
    const { connectMs, callMs } = this.limits;
    const model = await connect(this.url, { noDelay: true, timeout: connectMs });
    model.on('error', () => {});
    try {
      await this.takeTurn(model);
      await work(model);
    } finally {
      await within(callMs, 'closing the connection', model.close()).catch(() => {});
    }
  }
}

const isLocked = (error: unknown): boolean => (error as { code?: unknown }).code === 405;

function read(queue: string, { content, properties }: GetMessage): DeadLetter {
  const headers: Record<string, unknown> = properties.headers ?? {};
  const attempts = Number(headers[attemptHeader] ?? 0);
  return letterOf(
    {
      queue,
      id: (properties.messageId as string | undefined) || null,
      reason: textOr(headers[reasonHeader]) ?? textOr(headers['x-first-death-reason']) ?? 'unknown',
      attempts: Number.isSafeInteger(attempts) && attempts > 0 ? attempts : 0,
      diedAt: timeOf(headers),
    },
    content,
  );
}

/** Written by the consumer that gave up, or by the broker (in whole seconds). */
function timeOf(headers: Readonly<Record<string, unknown>>): Date | null {
  const ours = headers[diedAtHeader];
  if (typeof ours === 'number' && ours > 0) return new Date(ours);
  const deaths: unknown = headers['x-death'];
  const first: unknown = Array.isArray(deaths) ? deaths[0] : null;
  const time = (first as { time?: { value?: unknown } } | null)?.time?.value;
  return typeof time === 'number' ? new Date(time * 1000) : null;
}

function textOr(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
