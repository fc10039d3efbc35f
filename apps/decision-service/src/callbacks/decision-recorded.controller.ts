import { Controller } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';

/**
 * Hears of every decision, so that the public exchange always has a taker and no decision is unroutable: the queue is
 * durable. There is nothing to do: whoever has recorded a decision sends it or claims it, and looks at once.
 */
@Controller()
export class DecisionRecordedController {
  @EventPattern<string>('decision.#')
  handle(): void {}
}
