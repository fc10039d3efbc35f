import { workQueueNames, type DeadLetterDocument, type DeadLettersQuery, type Page } from '#lib/contracts';
import type { DeadLetterOffice } from '#lib/messaging';
import { Inject, Injectable } from '@nestjs/common';
import type { Answer } from '../http/answer.js';
import { inBrokerTerms, orNotFound } from './broker-problem.js';
import { deadLetterDocument } from './dead-letter-document.js';
import { deadLetterOffice } from './dead-letter-office.token.js';

/** Shows what was given up on. */
@Injectable()
export class ViewDeadLetters {
  constructor(@Inject(deadLetterOffice) private readonly office: DeadLetterOffice) {}

  /** @throws ProblemError `broker_unavailable` */
  async list({ queue, limit }: DeadLettersQuery): Promise<Answer<Page<DeadLetterDocument>>> {
    const queues = queue === undefined ? workQueueNames : [queue];
    const letters = await inBrokerTerms(this.office.list(queues, limit));
    const now = new Date();
    return { status: 200, body: { data: letters.map((letter) => deadLetterDocument(letter, now)), nextCursor: null } };
  }

  /** @throws ProblemError `not_found`, `broker_unavailable` */
  async one(id: string): Promise<Answer<DeadLetterDocument>> {
    const letter = orNotFound(await inBrokerTerms(this.office.find(workQueueNames, id.toLowerCase())));
    return { status: 200, body: deadLetterDocument(letter, new Date()) };
  }
}
