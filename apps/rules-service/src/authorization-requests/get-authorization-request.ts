import type { AuthorizationRequestDocument } from '#lib/contracts';
import { Database, type RequestView } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import { readsRequestsOf, type Caller } from '../access/caller.js';
import { etagOf } from '../admin/if-match.js';
import type { Answer } from '../http/answer.js';
import { AwaitRequest, isDecided } from './await-request.js';
import { noSuchRequest } from './no-such-request.js';
import { requestDocument, requestHeaders } from './request-document.js';
import type { WaitPreference } from './wait-preference.js';
import type { Hint } from './waiters.js';

/** How a request is asked for. */
export interface Inquiry {
  readonly caller: Caller;
  readonly id: string;
  readonly wait: WaitPreference;
  /** `If-None-Match`: the version that the caller knows. */
  readonly known: string | undefined;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Shows a request as it is, or, when asked to wait, once it is decided or no longer what the caller knows. */
@Injectable()
export class GetAuthorizationRequest {
  constructor(
    private readonly database: Database,
    private readonly awaitRequest: AwaitRequest,
  ) {}

  /** @throws ProblemError `not_found`, `busy` */
  async run({ caller, id, wait, known, signal }: Inquiry): Promise<Answer<AuthorizationRequestDocument>> {
    const read = () => this.database.requests.view(id, readsRequestsOf(caller));
    const isAsWished = known === undefined ? isDecided : (state: Hint) => isNews(state, known);
    const view = await this.awaitRequest.run(id, read, isAsWished, { seconds: wait.seconds, signal });
    if (view === null) throw noSuchRequest();
    const headers = {
      ...requestHeaders(view),
      ...(wait.applied !== null && { 'preference-applied': wait.applied }),
    };
    return isKnown(view, known) ? { status: 304, headers } : { status: 200, headers, body: requestDocument(view) };
  }
}

// RFC 9110 §13.1.2: the weak comparison, over a list of tags.
const matches = (known: string, version: number): boolean =>
  known.trim() === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etagOf(version));

const isKnown = (view: RequestView, known: string | undefined): boolean =>
  known !== undefined && matches(known, view.stateVersion);

// A version that is not known is worth a look: the row will tell.
const isNews = ({ stateVersion }: Hint, known: string): boolean =>
  stateVersion === null || !matches(known, stateVersion);
