import { isUnavailable, type NewAttempt, type OpenAttemptResult, type RequestStore } from '#lib/persistence';
import type { Persevere } from '#lib/runtime';

/** An attempt as it is put on record; who opens it, and for how long, is the same for all. */
export type AttemptToOpen = Omit<NewAttempt, 'instanceId' | 'callTimeoutMs'>;

/** Longest time that a start call can take, discovery and keys included, in ms. */
const callTimeoutMs = 45_000;

/** Puts an attempt on record before it is made, in the name of this process: nobody else makes one until it lapses. */
export class OpenAttempt {
  constructor(
    private readonly requests: Pick<RequestStore, 'openAttempt'>,
    private readonly instanceId: string,
    private readonly persevere: Persevere,
  ) {}

  /** @throws whatever the database fails with; whether the attempt is on record nobody knows then. */
  run(attempt: AttemptToOpen): Promise<OpenAttemptResult> {
    return this.requests.openAttempt({ ...attempt, instanceId: this.instanceId, callTimeoutMs });
  }

  /**
   * For an attempt that is to be made. Whether it was opened has to be known: one that is on record, and that nobody
   * makes, would lapse as one that was made.
   *
   * @throws GivenUp, and whatever the database fails with while it can be reached.
   */
  async untilKnown(attempt: AttemptToOpen): Promise<OpenAttemptResult> {
    try {
      return await this.run(attempt);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return this.#again(attempt);
    }
  }

  /**
   * The statement whose answer was lost may still have been at work when it was repeated: the repetition then waited for it
   * and does not see what it opened. One more does.
   */
  async #again(attempt: AttemptToOpen): Promise<OpenAttemptResult> {
    const open = () => this.persevere('Opening an attempt', () => this.run(attempt));
    const opened = await open();
    return opened.kind === 'in-progress' ? open() : opened;
  }
}
