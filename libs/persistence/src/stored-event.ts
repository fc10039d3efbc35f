import type { CloudEvent } from '#lib/contracts';

/** An event that a commit has stored in the outbox, ready to be published. */
export interface StoredEvent {
  readonly id: string;
  readonly outgoing: {
    readonly exchange: 'assent.authorizations' | 'assent.decisions';
    readonly routingKey: string;
    readonly event: CloudEvent;
  };
}
