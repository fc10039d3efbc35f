import { EventTransport, type TransportOptions } from '../event-transport.js';
import { queueName, type Subscription } from '../subscription.js';
import { idOf, type InProcessQueue, type Job, type JobTaker } from './in-process-queue.js';

/** Where a transport finds its queues. */
export interface QueueHome {
  /** The group's queue for the pattern, made when it is missing; for a hint a new one of its own. */
  open(name: string, subscription: Subscription): InProcessQueue;
  /** The transport leaves; a queue of its own goes with it. */
  leave(queue: InProcessQueue): void;
}

/** A member of a consumer group inside the publisher's process. */
export class InProcessTransport extends EventTransport {
  private readonly attached: { queue: InProcessQueue; taker: JobTaker }[] = [];
  private closed: Promise<void> | null = null;

  constructor(
    options: TransportOptions,
    private readonly home: QueueHome,
  ) {
    super(options);
  }

  listen(ready: () => void): void {
    for (const subscription of this.subscriptions) {
      const queue = this.home.open(queueName(this.options.consumer, subscription.pattern), subscription);
      const taker: JobTaker = { take: (job) => this.track(this.receive(queue, subscription, taker, job)) };
      queue.attach(taker);
      this.attached.push({ queue, taker });
    }
    this._status$.next('connected');
    ready();
  }

  close(): Promise<void> {
    this.closed ??= this.detachAndDrain();
    return this.closed;
  }

  private async detachAndDrain(): Promise<void> {
    for (const { queue, taker } of this.attached) {
      queue.detach(taker);
      this.home.leave(queue);
    }
    await this.drain();
    this._status$.next('disconnected');
  }

  private async receive(queue: InProcessQueue, subscription: Subscription, taker: JobTaker, job: Job): Promise<void> {
    const incoming = { queue: queue.name, body: job.body, attempt: job.attempt, redelivered: false };
    const verdict = await this.handle(subscription, incoming);
    queue.settle(taker, job, verdict);
    if (verdict) this.report(verdict, incoming, idOf(job.body));
  }
}
