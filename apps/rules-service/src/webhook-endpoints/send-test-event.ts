import type { Delivery } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import type { Answer } from '../http/answer.js';
import { deliveriesPath, endpointDisabled, noSuchDelivery, noSuchEndpoint } from './webhook-problems.js';

/** Sends `test.ping` to one endpoint, signed and retried like every other delivery. */
@Injectable()
export class SendTestEvent {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `not_found`, `webhook_endpoint_disabled` */
  async run(endpointId: string): Promise<Answer<Delivery>> {
    const result = await this.database.notices.test(endpointId);
    if (result.kind === 'not-found') throw noSuchEndpoint();
    if (result.kind === 'disabled') throw endpointDisabled();
    const body = await this.database.deliveries.find(endpointId, result.deliveryId);
    if (body === null) throw noSuchDelivery();
    return { status: 202, headers: { location: `${deliveriesPath(endpointId)}/${result.deliveryId}` }, body };
  }
}
