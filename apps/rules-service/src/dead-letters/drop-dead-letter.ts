import { workQueueNames } from '#lib/contracts';
import type { DeadLetterOffice } from '#lib/messaging';
import type { Acting, AuditStore } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import type { Answer } from '../http/answer.js';
import { inBrokerTerms, orNotFound } from './broker-problem.js';

/** Takes away what nobody needs any more. */
export class DropDeadLetter {
  constructor(
    private readonly office: DeadLetterOffice,
    private readonly audit: Pick<AuditStore, 'record'>,
    private readonly log: Log,
  ) {}

  /** @throws ProblemError `not_found`, `broker_unavailable` */
  async run(id: string, acting: Acting): Promise<Answer> {
    // Ahead, because the broker knows no transaction of ours: the order is on record whatever comes of it.
    const resource = { type: 'dead-letter', id: id.toLowerCase(), name: null };
    await this.audit.record(acting, { action: 'dead-letter.drop-ordered', resource });
    orNotFound(await inBrokerTerms(this.office.drop(workQueueNames, id.toLowerCase())));
    this.log.info('A dead letter was dropped', { id });
    return { status: 204 };
  }
}
