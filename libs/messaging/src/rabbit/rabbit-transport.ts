import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Attentiveness } from '../attention.js';
import type { BusStatus } from '../event-bus.js';
import { EventTransport, type Incoming, type TransportOptions } from '../event-transport.js';
import { Unroutable } from '../failures.js';
import { queueName, type Subscription } from '../subscription.js';
import type { Verdict } from '../verdict.js';
import { KeptChannel, type KeptChannelOptions } from './kept-channel.js';
import type { Parcel, RabbitPublisher } from './rabbit-publisher.js';
import { BindingsOnDemand } from './bindings-on-demand.js';
import { within } from './time-limit.js';
import { deadExchange, declareExchanges, declareQueue, hintQueue, retryQueueOf, workQueues } from './topology.js';

/** Header of the copies in the retry and dead queues: how many handlers have failed on the message. */
export const attemptHeader = 'x-attempt';
/** Header of the same copies: what the last handler said. */
export const reasonHeader = 'x-reason';
/** Header of the copies in the dead queue: when they were given up, in epoch milliseconds. */
export const diedAtHeader = 'x-died-at';
const cancelMs = 2_000;

/** What a transport over RabbitMQ needs. */
export interface RabbitTransportOptions extends TransportOptions, KeptChannelOptions {
  /** Copies of failed messages go out on the publisher's connection: a broker that blocks publishers then still delivers. */
  readonly publisher: RabbitPublisher;
  /** A queue name that no other process uses, nor this one before. */
  readonly hintQueueName: (queue: string) => string;
  /** Whether anybody in this process waits just now. */
  readonly attentiveness: Attentiveness;
}

/** The subscriptions and the channel that a message came by. */
interface Source {
  readonly subscription: Subscription;
  readonly queue: string;
  readonly channel: Channel;
  readonly renew: (why: string) => void;
}

/** A member of a consumer group over RabbitMQ: acknowledges a message after its effect, or after its copy is safe. */
export class RabbitTransport extends EventTransport {
  private kept: KeptChannel<Channel> | null = null;
  private channel: Channel | null = null;
  private consumerTags: string[] = [];
  private onDemand: BindingsOnDemand | null = null;
  private closed: Promise<void> | null = null;

  constructor(private readonly rabbit: RabbitTransportOptions) {
    super(rabbit);
    rabbit.attentiveness.follow(() => {
      if (!this.closed) this.onDemand?.adapt();
    });
  }

  /** Null while it does not listen. */
  get connection(): BusStatus | null {
    return this.kept && !this.closed ? this.kept.status : null;
  }

  listen(ready: () => void): void {
    this.kept = new KeptChannel<Channel>(
      {
        name: this.rabbit.consumer,
        open: (model) => model.createChannel(),
        setUp: (channel, renew) => this.consume(channel, renew),
        lost: () => (this.channel = this.onDemand = null),
      },
      { ...this.rabbit, changed: () => this.announce() },
    );
    ready();
  }

  close(): Promise<void> {
    this.closed ??= this.drainAndClose();
    return this.closed;
  }

  private async drainAndClose(): Promise<void> {
    const { channel } = this;
    if (channel) {
      const cancels = this.consumerTags.map((tag) => within(cancelMs, 'cancelling a consumer', channel.cancel(tag)));
      await Promise.allSettled(cancels);
    }
    await this.drain();
    await this.kept?.close();
  }

  private announce(): void {
    if (this.kept) this._status$.next(this.kept.status.state);
    this.rabbit.changed();
  }

  private async consume(channel: Channel, renew: (why: string) => void): Promise<void> {
    this.channel = channel;
    this.consumerTags = [];
    await declareExchanges(channel);
    await channel.prefetch(this.rabbit.limits.prefetch);
    const onDemand = new BindingsOnDemand(channel, renew, this.rabbit);
    for (const subscription of this.subscriptions) {
      // The connection was lost and found again during the drain: nothing new is taken any more.
      if (this.closed) return;
      const queue = await this.declare(channel, subscription, onDemand);
      const source: Source = { subscription, queue, channel, renew };
      const { consumerTag } = await channel.consume(queue, (message) => {
        if (message) this.track(this.receive(source, message));
        else renew(`the broker cancelled the consumer of ${queue}`);
      });
      this.consumerTags.push(consumerTag);
    }
    this.onDemand = onDemand;
    await onDemand.reach();
  }

  private async declare(channel: Channel, subscription: Subscription, onDemand: BindingsOnDemand): Promise<string> {
    const queue = queueName(this.rabbit.consumer, subscription.pattern);
    if (subscription.delivery === 'one-instance') {
      for (const each of workQueues(queue, subscription, this.rabbit.retryDelaysMs)) await declareQueue(channel, each);
      return queue;
    }
    const own = hintQueue(this.rabbit.hintQueueName(queue), subscription);
    const waits = subscription.delivery === 'every-waiting-instance';
    await declareQueue(channel, waits ? { ...own, bindings: [] } : own);
    if (waits) onDemand.add(own);
    return own.name;
  }

  private async receive(source: Source, message: ConsumeMessage): Promise<void> {
    const incoming = incomingOf(source.queue, message);
    const verdict = await this.handle(source.subscription, incoming);
    if (verdict === null) return settle(() => source.channel.ack(message));
    if (!(await this.place(copyFor(verdict, incoming, message), source))) {
      return settle(() => source.channel.nack(message));
    }
    settle(() => source.channel.ack(message));
    this.report(verdict, incoming, (message.properties.messageId as string | undefined) ?? null);
  }

  /**
   * Sends a copy until it has its place; false when the message has to go back to its queue instead.
   *
   * Going back counts towards the delivery limit, and a publisher that is away for a while is no fault of the message:
   * it stays in our hands as long as there is a channel to acknowledge it on.
   */
  private async place(copy: Parcel, source: Source): Promise<boolean> {
    const { copyAgainMs } = this.rabbit.limits;
    let pauseMs = copyAgainMs;
    do {
      try {
        await this.rabbit.publisher.send(copy);
        return true;
      } catch (error) {
        await pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, copyAgainMs * 5);
        if (error instanceof Unroutable) {
          // Somebody deleted the retry or dead queue: a new channel declares it again.
          source.renew(error.message);
          return false;
        }
      }
    } while (!this.closed && this.channel === source.channel);
    return false;
  }
}

function incomingOf(queue: string, { content, fields, properties }: ConsumeMessage): Incoming {
  const failures = Number(properties.headers?.[attemptHeader] ?? 0);
  // A message from outside may bear any header.
  const attempt = Number.isSafeInteger(failures) && failures >= 0 ? failures + 1 : 1;
  return { queue, body: content, attempt, redelivered: fields.redelivered };
}

function copyFor(verdict: Verdict, { queue, attempt, body }: Incoming, { properties }: ConsumeMessage): Parcel {
  const copy = {
    body,
    properties: {
      messageId: (properties.messageId as string | undefined) ?? randomUUID(),
      type: properties.type as string | undefined,
      contentType: properties.contentType as string | undefined,
      headers: { ...traceOf(properties.headers), [attemptHeader]: attempt, [reasonHeader]: verdict.reason },
    },
  };
  switch (verdict.kind) {
    case 'retry':
      return { ...copy, exchange: '', routingKey: retryQueueOf(queue, verdict.delayMs) };
    case 'dead':
      Object.assign(copy.properties.headers, { [diedAtHeader]: Date.now() });
      return { ...copy, exchange: deadExchange, routingKey: queue };
  }
}

/** Of the headers only the trace goes along; the broker's own counts belong to the message that is left behind. */
function traceOf(headers: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'traceparent' || name === 'tracestate'),
  );
}

/** An answer on a channel that is gone is not needed: the broker delivers the message again. */
function settle(answer: () => void): void {
  try {
    answer();
  } catch {
    // The channel is closed.
  }
}
