import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { authorizationEvents, heardAuthorizationFact } from '#lib/contracts';
import { AdoptPending } from './adopt-pending.js';
import { PollingSchedule } from './polling-schedule.js';

/** Every poller hears every hint, and the owner of the shard acts on it. One that is lost costs a moment: the sweep finds it. */
@Controller()
export class PendingHintsController {
  constructor(
    private readonly adopt: AdoptPending,
    private readonly schedule: PollingSchedule,
  ) {}

  @EventPattern<string>(authorizationEvents.initiated, { delivery: 'every-instance' })
  async initiated(@Payload() fact: unknown): Promise<void> {
    await this.adopt.hinted(heardAuthorizationFact.parse(fact).authorizationRequestId);
  }

  // A hint like the others: it may overtake the one that the request is pending, and the one of a push brings an answer.
  @EventPattern<string>(authorizationEvents.pinged, { delivery: 'every-instance' })
  async pinged(@Payload() fact: unknown): Promise<void> {
    const { authorizationRequestId } = heardAuthorizationFact.parse(fact);
    if (this.schedule.pinged(authorizationRequestId)) return;
    await this.adopt.hinted(authorizationRequestId);
    this.schedule.pinged(authorizationRequestId);
  }

  @EventPattern<string>(authorizationEvents.cancelled, { delivery: 'every-instance' })
  cancelled(@Payload() fact: unknown): void {
    this.schedule.drop(heardAuthorizationFact.parse(fact).authorizationRequestId);
  }
}
