import { heardAuthorizationFact, heardDecision } from '#lib/contracts';
import { GiveUp } from '#lib/messaging';
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { z } from 'zod';
import { Waiters } from './waiters.js';

/** Hears what happens to requests on each instance where calls wait, and wakes them. */
@Controller()
export class RequestChangedController {
  constructor(private readonly waiters: Waiters) {}

  @EventPattern<string>('authorization.#', { delivery: 'every-waiting-instance' })
  handleAuthorization(@Payload() data: unknown): void {
    const { authorizationRequestId, stateVersion } = read(heardAuthorizationFact, data);
    this.waiters.tell(authorizationRequestId, { stateVersion, decided: false });
  }

  @EventPattern<string>('decision.#', { delivery: 'every-waiting-instance' })
  handleDecision(@Payload() data: unknown): void {
    const { authorizationRequestId } = read(heardDecision, data);
    this.waiters.tell(authorizationRequestId, { stateVersion: null, decided: true });
  }
}

function read<Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw new GiveUp('its data does not have the form of its kind');
  return parsed.data;
}
