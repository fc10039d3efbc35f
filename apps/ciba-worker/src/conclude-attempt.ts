import { createHash } from 'node:crypto';
import { askedText, type Command } from '#lib/domain';
import type { RequestStore, StartWork } from '#lib/persistence';
import type { Log, Persevere } from '#lib/runtime';
import { afterStartChange, giveUp, type StartStep } from './after-start.js';

/** Another attempt that is to be made. */
export interface NextAttempt {
  /** How long to wait before it, in ms. */
  readonly inMs: number;
  /** How often the person may have been asked before; null: this process does not know. */
  readonly earlierPrompts: number | null;
  /** What is asked then. */
  readonly work: StartWork;
}

/** What follows an attempt: nothing, or another one after a while. */
export type Next = 'settled' | NextAttempt;

/**
 * Puts on record what an attempt has led to.
 *
 * Each commit is repeated until the database has answered, never the call: our memory holds the only copy of an
 * `auth_req_id`. Every method rejects with `GivenUp` when the process ends before that.
 */
export class ConcludeAttempt {
  constructor(
    private readonly requests: Pick<RequestStore, 'closeAttempt' | 'change' | 'acknowledgedOtherwise'>,
    private readonly persevere: Persevere,
    private readonly log: Log,
  ) {}

  /**
   * Follows a step, and says what comes after the attempt.
   *
   * @param work what was asked in the attempt.
   * @param earlierPrompts how often the person may have been asked, should the text be refused.
   */
  async run(work: StartWork, attemptId: string, step: StartStep, earlierPrompts: number): Promise<Next> {
    switch (step.kind) {
      case 'change':
        return this.end(work.requestId, step.command);
      case 'reword':
        return this.#reword(work, attemptId, step.bindingMessage, earlierPrompts);
      case 'again': {
        await this.#close(attemptId, step.close, step.inMs);
        const { inMs, earlierPrompts: prompts } = step;
        if (!step.withoutExpiry) return { inMs, earlierPrompts: prompts, work };
        const definition = { ...work.definition, requestedExpirySeconds: null };
        return { inMs, earlierPrompts: prompts, work: { ...work, definition } };
      }
    }
  }

  /** Commits the command after which no attempt follows; null: there is nothing to commit. */
  async end(requestId: string, command: Command | null): Promise<'settled'> {
    for (let toCommit = command; toCommit !== null;) toCommit = await this.#change(requestId, toCommit);
    return 'settled';
  }

  /** Closes an attempt that came too late to be made: nobody needs to be asked about what was wanted so long ago. */
  async giveUp(requestId: string, attempt: { id: string; unknownAttempts: number }): Promise<'settled'> {
    await this.#close(attempt.id, 'not-accepted');
    return this.end(requestId, giveUp(attempt));
  }

  /** On record before it is sent: what the caller is told to show is what the phone shows, whatever happens next. */
  async #reword(work: StartWork, attemptId: string, bindingMessage: string, earlierPrompts: number): Promise<Next> {
    const { requestId, attributes } = work;
    const { id: ruleId, version: ruleVersion } = work.rule;
    const text = askedText({ ruleId, ruleVersion, attributes, bindingMessage });
    const requestHash = createHash('sha256').update(text).digest('base64url');
    const result = await this.persevere('Rewording a request', () =>
      this.requests.change(requestId, { type: 'reword', attemptId, bindingMessage, requestHash }),
    );
    if (result.kind !== 'applied') return 'settled';
    return { inMs: 0, earlierPrompts, work: { ...work, bindingMessage } };
  }

  /**
   * Answers what is to be committed in place of the command, if anything. A refusal means that the request has ended
   * meanwhile; then the prompt comes to nothing.
   */
  async #change(requestId: string, command: Command): Promise<Command | null> {
    const result = await this.persevere('Recording a start call', () => this.requests.change(requestId, command));
    if (result.kind === 'refused' && command.type === 'acknowledge') await this.#endContradiction(requestId, command);
    return afterStartChange(command, result.kind);
  }

  /**
   * A notification named another `auth_req_id` than the answer to the same call, and nobody can tell which of them the
   * person is asked about: what is unknown is not approved. A crash before this leaves the one that came first.
   */
  async #endContradiction(
    requestId: string,
    { attemptId, authReqId }: Extract<Command, { type: 'acknowledge' }>,
  ): Promise<void> {
    const contradicts = await this.persevere('Comparing what the provider said', () =>
      this.requests.acknowledgedOtherwise(attemptId, authReqId),
    );
    if (!contradicts) return;
    this.log.warn('The provider named two auth_req_ids for one start call', {
      code: 'auth_req_id_contradiction',
      requestId,
    });
    const failure = { type: 'fail', reason: 'provider_error', providerError: null, fence: null, polls: 0 } as const;
    await this.persevere('Recording a start call', () => this.requests.change(requestId, failure));
  }

  async #close(attemptId: string, outcome: 'not-accepted' | 'unknown', nextInMs = 0): Promise<void> {
    await this.persevere('Closing an attempt', () => this.requests.closeAttempt(attemptId, outcome, nextInMs));
  }
}
