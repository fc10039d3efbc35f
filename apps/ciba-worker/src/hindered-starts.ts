import type { ProviderError } from '#lib/domain';
import type { ClientPause, SealedStart, StartWork } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import { v7 as newId } from 'uuid';
import { endUncalled } from './after-start.js';
import type { ConcludeAttempt } from './conclude-attempt.js';
import type { OpenAttempt } from './open-attempt.js';

/** How old a request may become while something that an operator can mend keeps its provider from being called. */
export interface HindranceLimits {
  /** For a client that is refused. */
  readonly refusedClientWaitSeconds: number;
  /** For what does not open with the master keys. */
  readonly startWithinSeconds: number;
}

/**
 * Requests for which nobody can be called now: each is left to the sweep, and ends when it has waited for too long.
 *
 * Every method returns when nothing more is to be done about the request this time. It throws what the database fails
 * with before the end is on its way, and `GivenUp` when the process ends; then the sweep finds the request again.
 */
export class HinderedStarts {
  constructor(
    private readonly limits: HindranceLimits,
    private readonly openAttempt: Pick<OpenAttempt, 'run'>,
    private readonly concludeAttempt: Pick<ConcludeAttempt, 'end'>,
    private readonly log: Log,
  ) {}

  /** What does not open now may open when the right master key is configured again: it has its time, like any other. */
  async whileSealed(work: StartWork | SealedStart): Promise<'settled'> {
    const { requestId } = work;
    this.log.error('What a start call needs does not open with the master keys of this process', { requestId });
    if (ageMs(work) <= this.limits.startWithinSeconds * 1000) return 'settled';
    return this.#end(requestId, null);
  }

  /**
   * Nobody is called: the sweep comes back when the pause is over. A request waits for somebody to mend the client, but
   * not for long: whoever made it waits as well.
   */
  async whileRefused(work: StartWork, { error }: ClientPause): Promise<'settled'> {
    if (ageMs(work) < this.limits.refusedClientWaitSeconds * 1000) return 'settled';
    return this.#end(work.requestId, { code: error, description: null });
  }

  /** An attempt is opened although no call follows: that keeps others from calling, and tells what came of earlier ones. */
  async #end(requestId: string, providerError: ProviderError | null): Promise<'settled'> {
    const attemptId = newId();
    const opened = await this.openAttempt.run({ requestId, attemptId, cause: null });
    return this.concludeAttempt.end(requestId, endUncalled(attemptId, opened, providerError));
  }
}

const ageMs = ({ createdAt, databaseNow }: Pick<StartWork, 'createdAt' | 'databaseNow'>): number =>
  databaseNow.getTime() - createdAt.getTime();
