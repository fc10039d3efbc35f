import type { AuthorizationRequestDocument } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Injectable } from '@nestjs/common';
import { cancelsRequestsOf, nameInTimeline, type Caller } from '../access/caller.js';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { noSuchRequest } from './no-such-request.js';
import { requestDocument, requestHeaders } from './request-document.js';

/** Withdraws a request that has not ended; doing so again answers the same. */
@Injectable()
export class CancelAuthorizationRequest {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `not_found`, `already_decided` */
  async run(caller: Caller, id: string): Promise<Answer<AuthorizationRequestDocument>> {
    const { requests } = this.database;
    const owner = cancelsRequestsOf(caller);
    if ((await requests.view(id, owner)) === null) throw noSuchRequest();
    const result = await inProblemTerms(requests.change(id, { type: 'cancel', by: nameInTimeline(caller) }));
    if (result.kind === 'refused' && result.current.status !== 'cancelled') {
      throw new ProblemError(
        'already_decided',
        `The request has ended: it is ${result.current.status}. It can no longer be withdrawn.`,
      );
    }
    const view = await requests.view(id, owner);
    if (view === null) throw noSuchRequest();
    return { status: 200, headers: requestHeaders(view), body: requestDocument(view) };
  }
}
