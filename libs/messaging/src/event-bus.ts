import type { EventPublisher } from './event-publisher.js';
import type { EventTransport } from './event-transport.js';

/** Whether events flow. `problem` says in words what is wrong; it may be set while connected. */
export interface BusStatus {
  readonly state: 'connected' | 'disconnected';
  readonly problem: string | null;
}

/** A message that was given up on. */
export interface DeadLetter {
  /** The id of the event, null when the message bears none. */
  readonly id: string | null;
  /** Why it is here: what the handler said, or the broker's `delivery_limit`. */
  readonly reason: string;
  /** How often a handler has refused it. */
  readonly attempts: number;
  /** The message as it came, readable or not. */
  readonly body: string;
}

/** One per process; one consumer transport per service. */
export interface EventBus extends EventPublisher {
  /**
   * A new member of the consumer group `name`, for Nest's `strategy`.
   *
   * @throws when the name is not lower-case words joined by hyphens.
   */
  consumer(name: string): EventTransport;
  /** The publisher and all listening consumers together. */
  status(): BusStatus;
  /** Resolves when the publisher and all listening consumers are connected. */
  whenConnected(): Promise<void>;
  /** The oldest messages in the dead queue of `queue`, which stay there. */
  deadLetters(queue: string, limit?: number): Promise<readonly DeadLetter[]>;
  /** Closes what is open: consumers first, each with its drain, then the publisher. May be called again. */
  close(): Promise<void>;
}
