import type { AuditEvent, AuditEventsQuery, AuditHead, Page, PageQuery } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { nextLink } from '../http/next-link.js';

/** Shows the audit log and its heads. */
@Injectable()
export class ViewAuditLog {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `invalid_cursor` */
  async events(query: AuditEventsQuery): Promise<Answer<Page<AuditEvent>>> {
    const page = await inProblemTerms(this.database.audit.list(query));
    return { status: 200, headers: nextLink('/v1/audit-events', query, page.nextCursor), body: page };
  }

  /** @throws ProblemError `invalid_cursor` */
  async heads(query: PageQuery): Promise<Answer<Page<AuditHead>>> {
    const page = await inProblemTerms(this.database.audit.heads(query));
    return {
      status: 200,
      headers: nextLink('/v1/audit-heads', { limit: query.limit }, page.nextCursor),
      body: page,
    };
  }
}
