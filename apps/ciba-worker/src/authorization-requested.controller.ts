import { authorizationEvents, heardAuthorizationFact } from '#lib/contracts';
import { EventContext, GiveUp } from '#lib/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { StartAuthentication } from './start-authentication.js';

/** The name of this service's queues and inbox entries. */
export const consumerName = 'ciba-worker';

/** Hears that a request was accepted, and has its provider asked. */
@Controller()
export class AuthorizationRequestedController {
  constructor(private readonly startAuthentication: StartAuthentication) {}

  @EventPattern<string>(authorizationEvents.requested)
  async handle(@Payload() data: unknown, @Ctx() context: EventContext): Promise<void> {
    const fact = heardAuthorizationFact.safeParse(data);
    if (!fact.success) throw new GiveUp('its data is not an authorization fact');
    const cause = { consumer: consumerName, eventId: context.event.id };
    await this.startAuthentication.run(fact.data.authorizationRequestId, cause);
  }
}
