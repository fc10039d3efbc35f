import type { Channel } from 'amqplib';
import type { Attentiveness } from '../attention.js';
import { messageOf } from '../failures.js';
import type { RabbitLimits } from './limits.js';
import { within } from './time-limit.js';
import type { QueueDeclaration } from './topology.js';

/** What decides about the bindings, and how long the broker may take for one. */
interface Demand {
  readonly attentiveness: Attentiveness;
  readonly limits: Pick<RabbitLimits, 'callMs'>;
}

/**
 * The bindings of a channel's queues that are there while somebody waits, and not otherwise: what no queue wants costs
 * the broker nothing, nor this process.
 */
export class BindingsOnDemand {
  private readonly queues: QueueDeclaration[] = [];
  private bound = false;
  private atWork = false;

  constructor(
    private readonly channel: Channel,
    private readonly renew: (why: string) => void,
    private readonly demand: Demand,
  ) {}

  /** Takes a queue in; it is declared, and not bound. */
  add(queue: QueueDeclaration): void {
    this.queues.push(queue);
  }

  /** Begins to bind or unbind as is wanted now; a channel on which that fails is renewed, and what is wanted with it. */
  adapt(): void {
    this.reach().catch((error: unknown) => this.renew(messageOf(error)));
  }

  /**
   * Binds or unbinds until the bindings are as is wanted, also when that changes meanwhile.
   *
   * @throws what the channel throws, or that the broker takes too long.
   */
  async reach(): Promise<void> {
    if (this.atWork || this.queues.length === 0) return;
    this.atWork = true;
    try {
      while (this.bound !== this.demand.attentiveness.paid) await this.set(!this.bound);
    } finally {
      this.atWork = false;
    }
  }

  private async set(bound: boolean): Promise<void> {
    const { attentiveness, limits } = this.demand;
    const verb = bound ? 'bindQueue' : 'unbindQueue';
    for (const { name, bindings } of this.queues) {
      for (const { exchange, routingKey } of bindings) {
        await within(limits.callMs, `${verb} of ${name}`, this.channel[verb](name, exchange, routingKey));
      }
    }
    this.bound = bound;
    if (bound) attentiveness.heard();
  }
}
