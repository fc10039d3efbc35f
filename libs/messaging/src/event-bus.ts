import type { Attention } from './attention.js';
import type { DeadLetterOffice } from './dead-letter.js';
import type { EventPublisher } from './event-publisher.js';
import type { EventTransport } from './event-transport.js';

/** Whether events flow. `problem` says in words what is wrong; it may be set while connected. */
export interface BusStatus {
  readonly state: 'connected' | 'disconnected';
  readonly problem: string | null;
  /** A queue exists with other arguments than ours: nothing comes from it until somebody has decided what it is for. */
  readonly mismatch?: boolean;
}

/** One per process; one consumer transport per service. */
export interface EventBus extends EventPublisher {
  /**
   * A new member of the consumer group `name`, for Nest's `strategy`.
   *
   * @throws when the name is not lower-case words joined by hyphens.
   */
  consumer(name: string): EventTransport;
  /**
   * Lets a part of this process say when somebody waits for what comes by `every-waiting-instance`. `hearing` is told each
   * time that begins to come, also after the broker was away: what happened before that may have been missed.
   */
  attention(hearing: () => void): Attention;
  /** The publisher and all listening consumers together. */
  status(): BusStatus;
  /** Resolves when the publisher and all listening consumers are connected. */
  whenConnected(): Promise<void>;
  /** What was given up on. */
  readonly deadLetters: DeadLetterOffice;
  /** Closes what is open: consumers first, each with its drain, then the publisher. May be called again. */
  close(): Promise<void>;
}
