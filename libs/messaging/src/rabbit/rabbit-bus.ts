import { Attentiveness, type Attention } from '../attention.js';
import type { BusStatus, EventBus } from '../event-bus.js';
import type { OutgoingEvent } from '../event-publisher.js';
import type { Log } from '../log.js';
import { checkConsumerName } from '../subscription.js';
import { RabbitDeadLetters } from './dead-letters.js';
import { defaultLimits, type RabbitLimits } from './limits.js';
import { RabbitPublisher } from './rabbit-publisher.js';
import { RabbitTransport } from './rabbit-transport.js';

/** Seconds between signs of life, unless the address says otherwise: a silent broker is noticed after two. */
const heartbeatSeconds = 10;

/** Settings of a bus over RabbitMQ. */
export interface RabbitBusOptions {
  /** `amqp://user:password@host:port/vhost` or `amqps://…`. */
  readonly url: string;
  /** Tells this process from the other instances of the same service; part of queue names. */
  readonly instanceId: string;
  readonly log?: Log;
  readonly limits?: Partial<RabbitLimits>;
}

/**
 * The bus over RabbitMQ. It is usable at once, with or without a broker: publishing rejects while there is none.
 *
 * @throws when the address is none of a broker.
 */
export function createRabbitBus(options: RabbitBusOptions): EventBus {
  return new RabbitBus(options);
}

class RabbitBus implements EventBus {
  readonly deadLetters: RabbitDeadLetters;
  private readonly url: string;
  private readonly limits: RabbitLimits;
  private readonly log: Log;
  private readonly publisher: RabbitPublisher;
  private readonly transports: RabbitTransport[] = [];
  private readonly attentiveness = new Attentiveness();
  private readonly waiting = new Set<() => void>();
  private hintQueues = 0;
  private closed: Promise<void> | null = null;

  constructor(private readonly options: RabbitBusOptions) {
    this.url = withHeartbeat(options.url);
    this.limits = { ...defaultLimits, ...options.limits };
    this.log = options.log ?? (() => {});
    this.publisher = new RabbitPublisher(`publisher ${options.instanceId}`, this.connecting());
    this.deadLetters = new RabbitDeadLetters(this.url, this.limits, this.publisher);
  }

  async publish({ exchange, routingKey, event }: OutgoingEvent): Promise<void> {
    await this.publisher.send({
      exchange,
      routingKey,
      body: Buffer.from(JSON.stringify(event)),
      properties: { messageId: event.id, type: event.type, contentType: 'application/cloudevents+json' },
    });
  }

  consumer(name: string): RabbitTransport {
    checkConsumerName(name);
    const transport = new RabbitTransport({
      ...this.connecting(),
      consumer: name,
      retryDelaysMs: this.limits.retryDelaysMs,
      drainMs: this.limits.drainMs,
      publisher: this.publisher,
      attentiveness: this.attentiveness,
      // Numbered, because a broker that has not noticed the end of a connection still locks its exclusive queues.
      hintQueueName: (queue) => `${queue}.${this.options.instanceId}.${++this.hintQueues}`,
    });
    this.transports.push(transport);
    return transport;
  }

  attention(hearing: () => void): Attention {
    return this.attentiveness.attention(hearing);
  }

  status(): BusStatus {
    const all = [this.publisher.status, ...this.transports.flatMap((each) => each.connection ?? [])];
    const differing = all.find((each) => inequivalent.test(each.problem ?? ''));
    return {
      state: all.every((each) => each.state === 'connected') ? 'connected' : 'disconnected',
      problem: (differing ?? all.find((each) => each.problem !== null))?.problem ?? null,
      ...(differing && { mismatch: true }),
    };
  }

  async whenConnected(): Promise<void> {
    if (this.status().state === 'connected') return;
    await new Promise<void>((resolve) => this.waiting.add(resolve));
  }

  close(): Promise<void> {
    this.closed ??= this.closeInOrder();
    return this.closed;
  }

  private async closeInOrder(): Promise<void> {
    await Promise.all(this.transports.map((each) => each.close()));
    await this.publisher.close();
  }

  private connecting() {
    return { url: this.url, limits: this.limits, log: this.log, changed: () => this.wakeWaiting() };
  }

  private wakeWaiting(): void {
    if (this.status().state !== 'connected') return;
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}

/** What RabbitMQ says of a queue or exchange that is there with other arguments. */
const inequivalent = /PRECONDITION.FAILED.*inequivalent arg/;

function withHeartbeat(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  // The text may hold a password: it is not repeated.
  if (!url || !['amqp:', 'amqps:'].includes(url.protocol)) throw new Error('the broker address is no amqp(s):// URL');
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatSeconds));
  return url.href;
}
