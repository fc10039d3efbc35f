import type { CloudEvent, exchanges } from '#lib/contracts';

/** The topic exchanges that events are published to. */
export type ExchangeName = (typeof exchanges)[keyof typeof exchanges];

/** An event and where it goes. */
export interface OutgoingEvent {
  readonly exchange: ExchangeName;
  readonly routingKey: string;
  readonly event: CloudEvent;
}

/** Publishes events, and knows of each whether it has arrived. */
export interface EventPublisher {
  /**
   * Resolves when a queue holds the message: confirmed and not returned.
   *
   * @throws Unroutable when no queue takes it; any other error, at the latest after the time limit, when it is
   * unknown or certain that the broker does not hold it. Publishing it again is then right.
   */
  publish(outgoing: OutgoingEvent): Promise<void>;
}
