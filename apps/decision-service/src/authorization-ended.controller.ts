import { authorizationEvents, heardAuthorizationFact } from '#lib/contracts';
import { EventContext, GiveUp } from '#lib/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { RecordDecision } from './record-decision.js';

/** The name of this service's queues and inbox entries. */
export const consumerName = 'decision-service';

/** Hears that a request has ended, in whichever way, and has its decision recorded. */
@Controller()
export class AuthorizationEndedController {
  constructor(private readonly recordDecision: RecordDecision) {}

  @EventPattern<string>(authorizationEvents.approved)
  handleApproved(@Payload() fact: unknown, @Ctx() context: EventContext): Promise<void> {
    return this.record(fact, context);
  }

  @EventPattern<string>(authorizationEvents.denied)
  handleDenied(@Payload() fact: unknown, @Ctx() context: EventContext): Promise<void> {
    return this.record(fact, context);
  }

  @EventPattern<string>(authorizationEvents.expired)
  handleExpired(@Payload() fact: unknown, @Ctx() context: EventContext): Promise<void> {
    return this.record(fact, context);
  }

  @EventPattern<string>(authorizationEvents.failed)
  handleFailed(@Payload() fact: unknown, @Ctx() context: EventContext): Promise<void> {
    return this.record(fact, context);
  }

  @EventPattern<string>(authorizationEvents.cancelled)
  handleCancelled(@Payload() fact: unknown, @Ctx() context: EventContext): Promise<void> {
    return this.record(fact, context);
  }

  // The event only says that there is something to do; what happened is read from the row.
  private async record(data: unknown, context: EventContext): Promise<void> {
    const fact = heardAuthorizationFact.safeParse(data);
    if (!fact.success) throw new GiveUp('its data is not an authorization fact');
    const cause = { consumer: consumerName, eventId: context.event.id };
    const outcome = await this.recordDecision.run(fact.data.authorizationRequestId, cause);
    if (outcome === 'unknown-request') throw new GiveUp('there is no such authorization request');
  }
}
