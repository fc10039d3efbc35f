import { workQueueNames } from '#lib/contracts';
import type { DeadLetterOffice } from '#lib/messaging';
import type { Log } from '#lib/runtime';
import type { Answer } from '../http/answer.js';
import { inBrokerTerms, orNotFound } from './broker-problem.js';

/** Takes away what nobody needs any more. */
export class DropDeadLetter {
  constructor(
    private readonly office: DeadLetterOffice,
    private readonly log: Log,
  ) {}

  /** @throws ProblemError `not_found`, `broker_unavailable` */
  async run(id: string): Promise<Answer> {
    orNotFound(await inBrokerTerms(this.office.drop(workQueueNames, id.toLowerCase())));
    this.log.info('A dead letter was dropped', { id });
    return { status: 204 };
  }
}
