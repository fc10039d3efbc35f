import type { AuthorizationRequestDocument, ListAuthorizationRequestsQuery, Page } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import { readsRequestsOf, type Caller } from '../access/caller.js';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { nextLink } from '../http/next-link.js';
import { requestDocument } from './request-document.js';

/** Lists requests, newest first: the caller's own, or everybody's for who may read administration. */
@Injectable()
export class ListAuthorizationRequests {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `invalid_cursor` */
  async run(
    caller: Caller,
    query: ListAuthorizationRequestsQuery,
  ): Promise<Answer<Page<AuthorizationRequestDocument>>> {
    const { status, rule, createdAfter, createdBefore, limit, cursor } = query;
    const { data, nextCursor } = await inProblemTerms(
      this.database.requests.list({
        apiClientId: readsRequestsOf(caller),
        statuses: status,
        rule,
        createdAfter: instantOf(createdAfter),
        createdBefore: instantOf(createdBefore),
        limit,
        cursor,
      }),
    );
    const filters = { limit, status: status?.join(','), rule, createdAfter, createdBefore };
    return {
      status: 200,
      headers: nextLink('/v1/authorization-requests', filters, nextCursor),
      body: { data: data.map(requestDocument), nextCursor },
    };
  }
}

const instantOf = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));
