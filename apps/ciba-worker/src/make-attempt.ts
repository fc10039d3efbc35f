import { providerProfiles, type StartOutcome } from '#lib/ciba';
import {
  isSealed,
  MissingRow,
  type EventCause,
  type OpenAttemptResult,
  type RegistrationStore,
  type RequestStore,
  type StartWork,
  type StoredRegistration,
} from '#lib/persistence';
import { v7 as newId } from 'uuid';
import { afterStart, afterUnknownStart, endUncalled, promptsBefore } from './after-start.js';
import type { CallProvider } from './call-provider.js';
import type { ConcludeAttempt, Next } from './conclude-attempt.js';
import type { HinderedStarts } from './hindered-starts.js';
import type { OpenAttempt } from './open-attempt.js';
import type { RefusedClients } from './refused-clients.js';

/** What an attempt is made with. */
export interface MakeAttemptParts {
  readonly requests: Pick<RequestStore, 'issueNotificationToken'>;
  readonly registrations: RegistrationStore;
  readonly refusedClients: Pick<RefusedClients, 'admit'>;
  readonly hindered: HinderedStarts;
  readonly openAttempt: Pick<OpenAttempt, 'untilKnown'>;
  readonly callProvider: CallProvider;
  readonly concludeAttempt: ConcludeAttempt;
  /** A request that is older than this when its turn comes is given up. */
  readonly startWithinSeconds: number;
  /** The monotonic clock, in ms. */
  readonly nowMs: () => number;
}

/** An attempt that has been written ahead and may be made. */
interface Attempt {
  readonly id: string;
  readonly number: number;
  readonly sentAt: Date;
  /** How long the first attempt of the request was ago when this one was opened. */
  readonly elapsedMs: number;
  readonly openedAtMs: number;
  /** How often the person may have been asked before. */
  readonly earlierPrompts: number;
  /** Earlier attempts whose answer is unknown, as the ledger has them. */
  readonly unknownAttempts: number;
}

/** What is left to do when the provider has answered; others may call it meanwhile. */
export type Conclusion = () => Promise<Next>;

/**
 * Asks the provider to ask the person: at most once, unless it is certain that nobody was asked or the rule says so.
 *
 * The call cannot be repeated blindly, for the phone may have rung. So each attempt is on record before it is made, and
 * a crash at any point leaves something to go by:
 * - before the attempt is opened: the request is `requested` without an attempt; the sweep starts it.
 * - between opening and the commit of the outcome, the call included: the attempt lapses, and whoever opens the next
 *   one is told. The answer is unknown, and the rule decides.
 * - after `closeAttempt`, while the next attempt waits: nobody was asked; the sweep starts it.
 * - after the commit: settled; a repeated event finds nothing to do.
 */
export class MakeAttempt {
  constructor(private readonly parts: MakeAttemptParts) {}

  /**
   * Makes one call at most. After a call the answer is in memory only, until the conclusion that is returned has run.
   *
   * @param earlierPrompts how often the person may have been asked before; null: this process does not know.
   * @throws what keeps the attempt from being prepared or opened; then nobody was called.
   */
  async run(work: StartWork, cause: EventCause | null, earlierPrompts: number | null): Promise<Next | Conclusion> {
    const { requests, refusedClients, hindered, openAttempt, concludeAttempt } = this.parts;
    // Before the attempt is opened: while the database is away there is nothing to take back.
    const registration = await this.#registration(work);
    if (registration === 'sealed') return hindered.whileSealed(work);
    const pause = registration === null ? null : await refusedClients.admit(work.rule, registration);
    if (pause !== null) return hindered.whileRefused(work, pause);
    const id = newId();
    const { requestId } = work;
    const notificationToken = work.definition.deliveryMode === 'poll' ? null : requests.issueNotificationToken();
    const openedAtMs = this.parts.nowMs();
    const opened = await openAttempt.untilKnown({ requestId, attemptId: id, notificationToken, cause });
    switch (opened.kind) {
      case 'not-requested':
      case 'in-progress':
      case 'duplicate':
        return 'settled';
      case 'lapsed': {
        const { attemptId, unknownAttempts } = opened;
        const step = afterUnknownStart(attemptId, unknownAttempts, work.definition);
        return concludeAttempt.run(work, attemptId, step, unknownAttempts);
      }
      case 'opened':
        if (registration === null) return concludeAttempt.end(requestId, endUncalled(id, opened, null));
        return this.#call(
          { ...work, bindingMessage: opened.bindingMessage },
          registration,
          attemptOf(id, opened, openedAtMs, earlierPrompts),
          notificationToken,
        );
    }
  }

  async #registration({ rule }: StartWork): Promise<StoredRegistration | 'sealed' | null> {
    try {
      return await this.parts.registrations.load(rule);
    } catch (error) {
      if (error instanceof MissingRow) return null;
      if (isSealed(error)) return 'sealed';
      throw error;
    }
  }

  async #call(
    work: StartWork,
    registration: StoredRegistration,
    attempt: Attempt,
    notificationToken: string | null,
  ): Promise<Next | Conclusion> {
    const { callProvider, concludeAttempt, startWithinSeconds } = this.parts;
    if (attempt.sentAt.getTime() - work.createdAt.getTime() > startWithinSeconds * 1000) {
      return concludeAttempt.giveUp(work.requestId, attempt);
    }
    const { outcome, noted } = await callProvider.run(registration, work, notificationToken);
    return async () => {
      const next = await this.#settle(work, attempt, outcome, registration);
      await noted;
      return next;
    };
  }

  async #settle(
    work: StartWork,
    attempt: Attempt,
    outcome: StartOutcome,
    { provider }: StoredRegistration,
  ): Promise<Next> {
    const { requestedExpirySeconds, onInitiationUnknown } = work.definition;
    const asked = { requestedExpirySeconds, onInitiationUnknown, bindingMessage: work.bindingMessage };
    const elapsedMs = attempt.elapsedMs + (this.parts.nowMs() - attempt.openedAtMs);
    const profile = providerProfiles[provider.profile];
    const step = afterStart({ ...attempt, elapsedMs }, outcome, attempt.sentAt, asked, profile);
    return this.parts.concludeAttempt.run(work, attempt.id, step, attempt.earlierPrompts);
  }
}

const attemptOf = (
  id: string,
  { number, sentAt, firstSentAt, unknownAttempts }: Extract<OpenAttemptResult, { kind: 'opened' }>,
  openedAtMs: number,
  earlierPrompts: number | null,
): Attempt => ({
  id,
  number,
  sentAt,
  elapsedMs: sentAt.getTime() - firstSentAt.getTime(),
  openedAtMs,
  earlierPrompts: promptsBefore(number, earlierPrompts),
  unknownAttempts,
});
