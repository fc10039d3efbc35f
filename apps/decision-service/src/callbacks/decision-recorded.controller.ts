import { Controller } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { DeliverDecisions } from './deliver-decisions.js';

/**
 * Hears of every decision and looks for deliveries that are due.
 *
 * The queue is durable, so that the public exchange always has a taker and no decision is unroutable.
 */
@Controller()
export class DecisionRecordedController {
  constructor(private readonly deliverDecisions: DeliverDecisions) {}

  @EventPattern<string>('decision.#')
  handle(): void {
    this.deliverDecisions.wake();
  }
}
