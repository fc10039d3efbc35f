import { workQueueNames, type ReplayBody, type ReplayResult } from '#lib/contracts';
import type { DeadLetterOffice } from '#lib/messaging';
import type { Acting, AuditStore } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import type { Answer } from '../http/answer.js';
import { inBrokerTerms, orNotFound } from './broker-problem.js';

/** Letters that one call puts back at most. */
const mostAtOnce = 1000;

/** Puts back what was given up on, once its cause is mended. */
export class ReplayDeadLetters {
  constructor(
    private readonly office: DeadLetterOffice,
    private readonly audit: Pick<AuditStore, 'record'>,
    private readonly log: Log,
  ) {}

  /** @throws ProblemError `not_found`, `broker_unavailable` */
  async one(id: string, acting: Acting): Promise<Answer<ReplayResult>> {
    await this.ordered(acting, id.toLowerCase(), null);
    orNotFound(await inBrokerTerms(this.office.replay(workQueueNames, id.toLowerCase())));
    this.log.info('A dead letter was put back', { id });
    return { status: 200, body: { replayed: 1, left: 0 } };
  }

  /** @throws ProblemError `broker_unavailable` */
  async all({ queue }: ReplayBody, acting: Acting): Promise<Answer<ReplayResult>> {
    await this.ordered(acting, null, { queue: queue ?? null });
    const queues = queue === undefined ? workQueueNames : [queue];
    const result = await inBrokerTerms(this.office.replayAll(queues, mostAtOnce));
    this.log.info('Dead letters were put back', { queue, ...result });
    return { status: 200, body: result };
  }

  // Ahead, because the broker knows no transaction of ours: the order is on record whatever comes of it.
  private ordered(acting: Acting, id: string | null, detail: Readonly<Record<string, unknown>> | null): Promise<void> {
    const resource = { type: 'dead-letter', id, name: null };
    return this.audit.record(acting, { action: 'dead-letter.replay-ordered', resource, detail });
  }
}
