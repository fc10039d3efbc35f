import type { Timeline } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import { readsRequestsOf, type Caller } from '../access/caller.js';
import type { Answer } from '../http/answer.js';
import { noSuchRequest } from './no-such-request.js';

/** Shows what happened to a request, in order. */
@Injectable()
export class GetTimeline {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `not_found` */
  async run(caller: Caller, id: string): Promise<Answer<Timeline>> {
    const rows = await this.database.requests.timeline(id, readsRequestsOf(caller));
    if (rows === null) throw noSuchRequest();
    const data = rows.map(({ at, type, detail }) => ({ at: at.toISOString(), type, detail: { ...detail } }));
    return { status: 200, body: { data } };
  }
}
