import { Attentiveness, type Attention } from '../attention.js';
import type { BusStatus, EventBus } from '../event-bus.js';
import type { OutgoingEvent } from '../event-publisher.js';
import { Refused, Unroutable } from '../failures.js';
import type { Log } from '../log.js';
import { checkConsumerName, type Subscription } from '../subscription.js';
import { InProcessDeadLetters } from './in-process-dead-letters.js';
import { InProcessQueue } from './in-process-queue.js';
import { InProcessTransport, type QueueHome } from './in-process-transport.js';
import { defaultLimits, type InProcessLimits } from './limits.js';

/** Settings of an in-process bus. */
export interface InProcessBusOptions {
  readonly log?: Log;
  readonly limits?: Partial<InProcessLimits>;
}

/**
 * The bus of a single process, with the promises of the broker's as long as the process lives; what is queued when it
 * ends comes again from the outbox and the sweepers.
 */
export function createInProcessBus(options: InProcessBusOptions = {}): EventBus {
  return new InProcessBus(options);
}

class InProcessBus implements EventBus, QueueHome {
  readonly deadLetters = new InProcessDeadLetters((queue) => this.find(queue));
  private readonly limits: InProcessLimits;
  private readonly log: Log;
  private readonly queues = new Set<InProcessQueue>();
  private readonly transports: InProcessTransport[] = [];
  private readonly attentiveness = new Attentiveness();
  private closed: Promise<void> | null = null;

  constructor(options: InProcessBusOptions) {
    this.limits = { ...defaultLimits, ...options.limits };
    this.log = options.log ?? (() => {});
    // Queues look at it themselves, so that what is said holds at once.
    this.attentiveness.follow(() => this.attentiveness.heard());
  }

  async publish({ exchange, routingKey, event }: OutgoingEvent): Promise<void> {
    if (this.closed) throw new Error('the publisher is closed');
    const queues = [...this.queues].filter((queue) => queue.wants(exchange, routingKey));
    if (queues.length === 0) throw new Unroutable(exchange, routingKey);
    const full = queues.find((queue) => queue.full);
    if (full) throw new Refused(`the queue ${full.name} is full`);
    const body = Buffer.from(JSON.stringify(event));
    for (const queue of queues) queue.push({ body, attempt: 1 });
  }

  consumer(name: string): InProcessTransport {
    checkConsumerName(name);
    const { retryDelaysMs, drainMs } = this.limits;
    const transport = new InProcessTransport({ consumer: name, retryDelaysMs, drainMs, log: this.log }, this);
    this.transports.push(transport);
    return transport;
  }

  attention(hearing: () => void): Attention {
    return this.attentiveness.attention(hearing);
  }

  status(): BusStatus {
    return this.closed ? { state: 'disconnected', problem: 'closed' } : { state: 'connected', problem: null };
  }

  async whenConnected(): Promise<void> {}

  close(): Promise<void> {
    this.closed ??= this.closeInOrder();
    return this.closed;
  }

  open(name: string, subscription: Subscription): InProcessQueue {
    const made = new InProcessQueue(name, subscription, this.limits, this.attentiveness);
    const queue = (made.durable && this.find(name)) || made;
    this.queues.add(queue);
    return queue;
  }

  leave(queue: InProcessQueue): void {
    if (queue.durable) return;
    queue.close();
    this.queues.delete(queue);
  }

  private find(name: string): InProcessQueue | undefined {
    return [...this.queues].find((queue) => queue.name === name && queue.durable);
  }

  private async closeInOrder(): Promise<void> {
    await Promise.all(this.transports.map((each) => each.close()));
    for (const queue of this.queues) queue.close();
  }
}
