import type { TokenAnswer } from '#lib/ciba';
import type { Command } from '#lib/domain';
import type { PendingWork, RequestStore } from '#lib/persistence';
import type { Persevere } from '#lib/runtime';
import type { ConcludeAuthentication } from './conclude-authentication.js';
import type { DatabaseClock } from './database-clock.js';
import type { PendingAuthentication } from './pending-authentications.js';
import type { RevokeTokens } from './revoke-tokens.js';
import { invalidEvidence, patienceEndsMs, type ArrivedAnswer, type VerifyAnswer } from './verify-answer.js';

/** What has become of a request whose answer was judged. */
export type Judged =
  /** There is nothing more to do about it. */
  | 'concluded'
  /** By the database's clock its deadline has not come yet. */
  | 'not-due'
  /** The provider's keys are not to be had: the answer is stored, and kept here for `judgeAgain`. */
  | 'held';

/** What judging needs; nothing in it asks the provider whether somebody approved. */
export interface AnswersInHandParts {
  readonly verify: Pick<VerifyAnswer, 'run' | 'hold'>;
  readonly conclude: Pick<ConcludeAuthentication, 'run'>;
  readonly revoke: Pick<RevokeTokens, 'begin'>;
  readonly requests: Pick<RequestStore, 'pending'>;
  readonly persevere: Persevere;
  readonly clock: DatabaseClock;
  /** The monotonic clock. */
  readonly nowMs: () => number;
}

/**
 * Tokens that have reached us, until each has led to the end of its request: ours may be the only copy of a grant that
 * is used up. It knows no schedule; the caller sees to it that one request is judged once at a time.
 */
export class AnswersInHand {
  readonly #held = new Map<string, ArrivedAnswer>();

  constructor(private readonly parts: AnswersInHandParts) {}

  /**
   * Judges tokens that have arrived just now.
   *
   * @throws GivenUp
   */
  judge(request: PendingAuthentication, answer: TokenAnswer): Promise<Judged> {
    return this.#judge(request, { answer, receivedAtMs: this.parts.nowMs(), stored: null });
  }

  /**
   * Judges tokens that were stored before they came to us: pushed, or held by an owner before us.
   *
   * @throws GivenUp
   */
  async judgeStored(request: PendingAuthentication, work: PendingWork): Promise<Judged> {
    return this.#judge(request, heldBefore(work, this.parts.clock));
  }

  /**
   * Judges tokens that were pushed, whose hint may have been lost; null when none are stored.
   *
   * @throws GivenUp
   */
  async judgePushed(request: PendingAuthentication): Promise<Judged | null> {
    const { requests, persevere } = this.parts;
    const { work } = await persevere('Looking for an answer that was pushed', () =>
      requests.pending({ ids: [request.requestId] }),
    );
    return work[0]?.heldAnswer ? this.judgeStored(request, work[0]) : null;
  }

  /**
   * Judges again what was `held`, and holds it no longer unless it says so again.
   *
   * @throws GivenUp
   */
  async judgeAgain(request: PendingAuthentication): Promise<Judged> {
    const arrived = this.#held.get(request.requestId)!;
    this.#held.delete(request.requestId);
    return this.#judge(request, arrived);
  }

  /** Holds nothing of this request in memory any more; what is stored stays there for its next owner. */
  forget(requestId: string): void {
    this.#held.delete(requestId);
  }

  async #judge(request: PendingAuthentication, arrived: ArrivedAnswer): Promise<Judged> {
    const { verify, nowMs } = this.parts;
    const command = await verify.run(request, arrived);
    if (command !== null) return this.#conclude(request, command, arrived.answer);
    if (nowMs() >= patienceEndsMs(request.deadlineMs, arrived)) {
      return this.#conclude(request, invalidEvidence(request), arrived.answer);
    }
    this.#held.set(request.requestId, await this.#stored(request, arrived));
    return 'held';
  }

  #conclude(request: PendingAuthentication, command: Command, answer: TokenAnswer): Promise<Judged> {
    const { conclude, revoke } = this.parts;
    return conclude.run(request.requestId, command, () => revoke.begin(request, answer));
  }

  async #stored(request: PendingAuthentication, arrived: ArrivedAnswer): Promise<ArrivedAnswer> {
    if (arrived.stored !== null) return arrived;
    const { verify, nowMs } = this.parts;
    await verify.hold(request.requestId, arrived.answer);
    return { ...arrived, stored: nowMs() < request.deadlineMs ? 'in-time' : 'late' };
  }
}

function heldBefore({ heldAnswer, expiresAt }: PendingWork, clock: DatabaseClock): ArrivedAnswer {
  const { answer, receivedAt } = heldAnswer!;
  return {
    // Stored sealed by this very service.
    answer: answer as TokenAnswer,
    receivedAtMs: clock.toMonotonicMs(receivedAt),
    stored: receivedAt < expiresAt ? 'in-time' : 'late',
  };
}
