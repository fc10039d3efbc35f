import { BaseRpcContext } from '@nestjs/microservices';
import type { CloudEvent } from '#lib/contracts';

/** One handing over of an event to a handler. */
export interface Delivered {
  readonly event: CloudEvent;
  readonly attempt: number;
  readonly redelivered: boolean;
}

/** The second argument of handlers (`@Ctx()`); the first is the event's data. */
export class EventContext extends BaseRpcContext<[Delivered]> {
  /** The whole event: its id, type, subject and trace. */
  get event(): CloudEvent {
    return this.args[0].event;
  }

  /** Counts from 1; grows with each failure of a handler, not with a crash. */
  get attempt(): number {
    return this.args[0].attempt;
  }

  /** Whether a handler may have seen this event before. False promises nothing: a publisher may repeat itself. */
  get redelivered(): boolean {
    return this.args[0].redelivered;
  }
}
