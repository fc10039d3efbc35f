import type { ConfirmChannel, Message, Options } from 'amqplib';
import { Refused, Unroutable } from '../failures.js';
import { KeptChannel, type KeptChannelOptions } from './kept-channel.js';
import { TimeLimitExceeded } from './time-limit.js';
import { declareExchanges } from './topology.js';

/** A message with the place that it goes to. */
export interface Parcel {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly properties: Options.Publish & { readonly messageId: string };
}

/** What amqplib says when the broker answers a publication with a negative acknowledgement. */
const nacked = 'message nacked';

/** What ends a channel that gives no answers. */
type Renew = (why: string) => void;

/** Publishes persistent, mandatory messages and waits for the confirmation of each, over a connection of its own. */
export class RabbitPublisher {
  private readonly kept: KeptChannel<ConfirmChannel>;
  private readonly unconfirmed = new Set<Promise<void>>();
  private outlet: Outlet | null = null;
  private closing = false;

  constructor(
    name: string,
    private readonly options: KeptChannelOptions,
  ) {
    this.kept = new KeptChannel<ConfirmChannel>(
      {
        name,
        open: (model) => model.createConfirmChannel(),
        setUp: async (channel, renew) => {
          await declareExchanges(channel);
          this.outlet = new Outlet(channel, renew, options.limits.confirmMs);
        },
        lost: () => (this.outlet = null),
      },
      options,
    );
  }

  get status() {
    return this.kept.status;
  }

  /** Resolves when a queue holds the message; rejects otherwise, at the latest after the time limit. */
  async send(parcel: Parcel): Promise<void> {
    const { state, problem } = this.kept.status;
    if (this.closing) throw new Error('the publisher is closed');
    // While the broker blocks its publishers, a message would only wait for its time limit.
    if (!this.outlet || state !== 'connected' || problem !== null) throw new Error(`the broker is away: ${problem}`);
    if (this.unconfirmed.size >= this.options.limits.maxUnconfirmed) throw new Error('too many unconfirmed messages');
    const sending = this.outlet.send(parcel);
    this.unconfirmed.add(sending);
    try {
      await sending;
    } finally {
      this.unconfirmed.delete(sending);
    }
  }

  /** Takes no more messages, waits for the confirmations under way, closes. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.allSettled(this.unconfirmed);
    await this.kept.close();
  }
}

/** The publishing end of one channel. */
class Outlet {
  /** Messages that came back and are not confirmed yet. The broker confirms those, too: "I am done with it." */
  private readonly returned: string[] = [];

  constructor(
    private readonly channel: ConfirmChannel,
    private readonly renew: Renew,
    private readonly confirmMs: number,
  ) {
    // A return comes before the confirmation of the same message.
    channel.on('return', ({ fields, properties }: Message) => {
      this.returned.push(keyOf(fields.exchange, fields.routingKey, properties.messageId as string));
    });
  }

  send({ exchange, routingKey, body, properties }: Parcel): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new TimeLimitExceeded(`the confirmation of ${routingKey}`, this.confirmMs);
        reject(error);
        // What the broker holds of the unconfirmed is unknown; on a new channel everything is known again.
        this.renew(error.message);
      }, this.confirmMs);
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        const returned = this.takeReturned(keyOf(exchange, routingKey, properties.messageId));
        if (error) reject(error.message === nacked ? new Refused(`a queue for ${routingKey} is full`) : error);
        else if (returned) reject(new Unroutable(exchange, routingKey));
        else resolve();
      };
      try {
        this.channel.publish(exchange, routingKey, body, { ...properties, persistent: true, mandatory: true }, settle);
      } catch (error) {
        settle(error as Error);
      }
    });
  }

  /** One entry per publication: the same message may be under way twice. */
  private takeReturned(key: string): boolean {
    const index = this.returned.indexOf(key);
    if (index >= 0) this.returned.splice(index, 1);
    return index >= 0;
  }
}

function keyOf(exchange: string, routingKey: string, messageId: string): string {
  return `${exchange} ${routingKey} ${messageId}`;
}
