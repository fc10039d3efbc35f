import type { AuthorizationRequestDocument, ListAuthorizationRequestsQuery, Page } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
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

  /** @throws ProblemError `invalid_cursor`, `invalid_parameter` */
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
        createdAfter: instantOf('createdAfter', createdAfter),
        createdBefore: instantOf('createdBefore', createdBefore),
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

// The database's calendar has no year 0.
function instantOf(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const instant = new Date(text);
  if (instant.getUTCFullYear() >= 1) return instant;
  throw new ProblemError('invalid_parameter', `${name} is before the year 1.`, {
    errors: [{ pointer: `/${name}`, code: 'too_small', detail: 'Give an instant in this era.' }],
  });
}
