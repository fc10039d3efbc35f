import type { Delivery, ReplayDeliveriesBody, ReplayedDeliveries } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { deliveriesPath, endpointDisabled, noSuchDelivery, noSuchEndpoint } from './webhook-problems.js';

/** Of one call; its locks are short. */
const portion = 1000;

/** Makes deliveries again: one, or those of a time. Their `webhook-id` stays, so receivers can tell. */
@Injectable()
export class ReplayDeliveries {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `not_found`, `webhook_endpoint_disabled` */
  async one(endpointId: string, id: string): Promise<Answer<Delivery>> {
    await this.refuseDisabled(endpointId);
    if (!(await this.database.deliveries.replay(endpointId, id))) throw noSuchDelivery();
    const body = await this.database.deliveries.find(endpointId, id);
    if (body === null) throw noSuchDelivery();
    return { status: 202, headers: { location: `${deliveriesPath(endpointId)}/${id}` }, body };
  }

  /** @throws ProblemError `not_found`, `webhook_endpoint_disabled`, `invalid_cursor` */
  async run(endpointId: string, body: ReplayDeliveriesBody): Promise<Answer<ReplayedDeliveries>> {
    await this.refuseDisabled(endpointId);
    const { since, until, state, cursor } = body;
    const range = { since: new Date(since), until: until === undefined ? null : new Date(until), state, cursor };
    const replayed = this.database.deliveries.replayRange(endpointId, { ...range, limit: portion });
    return { status: 202, body: await inProblemTerms(replayed) };
  }

  private async refuseDisabled(endpointId: string): Promise<void> {
    const endpoint = await this.database.webhookEndpoints.find(endpointId);
    if (endpoint === null) throw noSuchEndpoint();
    if (!endpoint.enabled) throw endpointDisabled();
  }
}
