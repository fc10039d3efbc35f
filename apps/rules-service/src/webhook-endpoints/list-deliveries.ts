import type { Delivery, Page, PageQuery } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Injectable } from '@nestjs/common';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { nextLink } from '../http/next-link.js';

/** Lists what was delivered to one endpoint, newest first. */
@Injectable()
export class ListDeliveries {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `not_found`, `invalid_cursor` */
  async run(endpointId: string, query: PageQuery): Promise<Answer<Page<Delivery>>> {
    if ((await this.database.webhookEndpoints.find(endpointId)) === null) {
      throw new ProblemError('not_found', 'There is no such webhook endpoint.');
    }
    const page = await inProblemTerms(this.database.deliveries.ofEndpoint(endpointId, query));
    const path = `/v1/webhook-endpoints/${endpointId}/deliveries`;
    return { status: 200, headers: nextLink(path, { limit: query.limit }, page.nextCursor), body: page };
  }
}
