import { expectationOf, type CibaClient, type TokenAnswer } from '#lib/ciba';
import { isTerminal, requestedScope } from '#lib/domain';
import { isUnavailable, type Database, type NotifiedAttempt } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import type { OnApplicationShutdown } from '@nestjs/common';

/**
 * Keeps what a push proves that came after the end of its request, as late evidence: it decides nothing.
 *
 * The tokens themselves are not kept beyond the end of a request, so they are verified at once; one attempt, for the
 * record is not worth holding somebody's tokens until the provider's keys are to be had.
 */
export class RecordLatePush implements OnApplicationShutdown {
  constructor(
    private readonly database: Pick<Database, 'requests' | 'registrations'>,
    private readonly ciba: Pick<CibaClient, 'verify' | 'revoke' | 'close'>,
    private readonly log: Log,
  ) {}

  /**
   * Does nothing for a request that has not ended.
   *
   * @throws what the database throws while it is away
   */
  async run(notificationToken: string, authReqId: string, answer: TokenAnswer): Promise<void> {
    const attempt = await this.database.requests.notified(notificationToken);
    if (attempt === null || !isTerminal(attempt.status)) return;
    const { requestId, status } = attempt;
    try {
      await this.#record(attempt, authReqId, answer);
    } catch (error) {
      if (isUnavailable(error)) throw error;
      this.log.warn('A late push could not be verified', { requestId, status, error });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ciba.close();
  }

  async #record(attempt: NotifiedAttempt, authReqId: string, answer: TokenAnswer): Promise<void> {
    const { requests, registrations } = this.database;
    const { requestId, rule, sentAt, databaseNow, deliveryMode } = attempt;
    const registration = await registrations.load(rule);
    const asked = await requests.asked(requestId);
    if (asked === null) return;
    const { clientId, scopes, acrValues } = asked.definition;
    const terms = { clientId, requestedScope: requestedScope(scopes), acrValues, deliveryMode };
    const expectation = expectationOf(terms, { sentAt, authReqId }, asked, registration.provider.issuer);
    const verification = await this.ciba.verify(registration, answer, expectation, databaseNow);
    if (verification.kind === 'verified') await requests.recordLateEvidence(requestId, verification.evidence);
    const found = verification.kind === 'rejected' ? verification.problem : verification.kind;
    this.log.info('Tokens were pushed after the end of their request', { requestId, status: attempt.status, found });
    // One of an approved request may be that of tokens which were released.
    if (attempt.status !== 'approved') void this.ciba.revoke(registration, answer);
  }
}
