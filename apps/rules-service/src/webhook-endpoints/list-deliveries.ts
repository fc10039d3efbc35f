import type { DeliveriesQuery, Delivery, Page } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { nextLink } from '../http/next-link.js';
import { deliveriesPath, noSuchDelivery, noSuchEndpoint } from './webhook-problems.js';

/** Lists what was delivered to one endpoint, newest first, or shows one delivery. */
@Injectable()
export class ListDeliveries {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `not_found`, `invalid_cursor` */
  async run(endpointId: string, query: DeliveriesQuery): Promise<Answer<Page<Delivery>>> {
    if ((await this.database.webhookEndpoints.find(endpointId)) === null) throw noSuchEndpoint();
    const page = await inProblemTerms(this.database.deliveries.ofEndpoint(endpointId, query));
    const { limit, state } = query;
    const headers = nextLink(deliveriesPath(endpointId), { limit, ...(state && { state }) }, page.nextCursor);
    return { status: 200, headers, body: page };
  }

  /** @throws ProblemError `not_found` */
  async one(endpointId: string, id: string): Promise<Answer<Delivery>> {
    const delivery = await this.database.deliveries.find(endpointId, id);
    if (delivery === null) throw noSuchDelivery();
    return { status: 200, body: delivery };
  }
}
