import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { authorizationEvents, authorizationFact } from '#lib/contracts';
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
    await this.adopt.hinted(authorizationFact.parse(fact).authorizationRequestId);
  }

  @EventPattern<string>(authorizationEvents.cancelled, { delivery: 'every-instance' })
  cancelled(@Payload() fact: unknown): void {
    this.schedule.drop(authorizationFact.parse(fact).authorizationRequestId);
  }
}
