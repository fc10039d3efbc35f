import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { decodeEvent, isOfLaterVersion } from './decode-event.js';
import { EventContext } from './event-context.js';
import { messageOf } from './failures.js';
import type { Log } from './log.js';
import { subscriptionOf, type Subscription } from './subscription.js';
import { judge, type Verdict } from './verdict.js';

/** A message as it reaches a transport. */
export interface Incoming {
  readonly queue: string;
  readonly body: Buffer;
  readonly attempt: number;
  readonly redelivered: boolean;
}

/** What every transport needs, whatever carries its messages. */
export interface TransportOptions {
  readonly consumer: string;
  readonly retryDelaysMs: readonly number[];
  readonly drainMs: number;
  readonly log: Log;
}

/**
 * What the consumers of all buses share: the subscriptions, running a handler, judging its failure, draining.
 *
 * The service's exception filter has to pass an error on as it is, because the verdict depends on it.
 */
export abstract class EventTransport
  extends Server<Record<string, never>, 'connected' | 'disconnected'>
  implements CustomTransportStrategy
{
  /** Failures are judged and logged here; Nest is not to log them as well. */
  override readonly propagatesEventHandlerErrors = true;
  protected readonly subscriptions: Subscription[] = [];
  private readonly inFlight = new Set<Promise<void>>();

  constructor(protected readonly options: TransportOptions) {
    super();
  }

  /** Starts to consume; calls `ready` at once, whether or not there is a broker. */
  abstract override listen(ready: () => void): void;

  /** Takes no more messages, lets the handlers finish, leaves. May be called again. */
  abstract override close(): Promise<void>;

  /** Called by Nest for every `@EventPattern`. */
  override addHandler(
    pattern: string,
    handler: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    if (!isEventHandler) throw new Error(`"${pattern}": only @EventPattern handlers; nobody answers on this bus`);
    const added = subscriptionOf(pattern, extras, handler);
    if (this.subscriptions.some((each) => each.pattern === pattern && each.delivery === added.delivery)) {
      // Nest would run both in one delivery, and a failure of one would repeat the other.
      throw new Error(`${this.options.consumer} has two handlers for "${pattern}"`);
    }
    this.subscriptions.push(added);
    // Nest's own map holds one handler per pattern; here a pattern may have one of each delivery mode.
    super.addHandler(`${pattern} ${added.delivery}`, handler, true, extras);
  }

  /** There is nothing underneath to listen to: see `status`. */
  on(): this {
    return this;
  }

  /** The broker's library stays inside this library. */
  unwrap<T>(): T {
    throw new Error('the event transport shows nothing of what is underneath');
  }

  /** Runs the handler; answers what becomes of the message, null when it is done with. */
  protected async handle(subscription: Subscription, incoming: Incoming): Promise<Verdict | null> {
    try {
      const event = decodeEvent(incoming.body);
      // A later version of Assent publishes it beside the one that we know: it is meant for others.
      if (isOfLaterVersion(event)) return null;
      const { attempt, redelivered } = incoming;
      const context = new EventContext([{ event, attempt, redelivered: redelivered || attempt > 1 }]);
      const result: unknown = await subscription.handler(event.data, context);
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
      return null;
    } catch (error) {
      if (subscription.delivery === 'one-instance') {
        return judge(error, incoming.attempt, this.options.retryDelaysMs);
      }
      this.options.log('error', 'hint lost: its handler failed', { queue: incoming.queue, reason: messageOf(error) });
      return null;
    }
  }

  /** Logs a verdict that was carried out. */
  protected report(verdict: Verdict, { queue, attempt }: Incoming, id: string | null): void {
    switch (verdict.kind) {
      case 'retry':
        return this.options.log('warn', 'event handler failed; trying again later', { queue, id, attempt, ...verdict });
      case 'dead':
        return this.options.log('error', 'message moved to the dead queue', { queue, id, attempt, ...verdict });
    }
  }

  /** Counts the work as in flight until it settles. It must not reject. */
  protected track(work: Promise<void>): void {
    this.inFlight.add(work);
    void work.finally(() => this.inFlight.delete(work));
  }

  /** Resolves when nothing is in flight any more, or when the time for that is over. */
  protected async drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.options.log('warn', 'closing with handlers still at work: their events will come again', {
          consumer: this.options.consumer,
          handlers: this.inFlight.size,
        });
        resolve();
      }, this.options.drainMs);
    });
    await Promise.race([Promise.all(this.inFlight), limit]);
    clearTimeout(timer);
  }
}
