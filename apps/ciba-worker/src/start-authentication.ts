import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { v7 as newId } from 'uuid';
import { providerProfiles, startRequestOf, type CibaClient, type StartOutcome } from '#lib/ciba';
import { askedText, type Command, type ProviderError } from '#lib/domain';
import {
  isSealed,
  isUnavailable,
  MissingRow,
  type ClientPause,
  type EventCause,
  type NewAttempt,
  type OpenAttemptResult,
  type RegistrationStore,
  type RequestStore,
  type SealedStart,
  type StartWork,
  type StoredRegistration,
} from '#lib/persistence';
import type { Log, Persevere } from '#lib/runtime';
import {
  afterStart,
  afterStartChange,
  afterUnknownStart,
  endUncalled,
  giveUp,
  promptsBefore,
  type StartStep,
} from './after-start.js';
import type { Place, ProviderLanes } from './provider-lanes.js';
import type { RefusedClients } from './refused-clients.js';

export interface StartAuthenticationParts {
  readonly requests: Pick<
    RequestStore,
    'startWork' | 'openAttempt' | 'closeAttempt' | 'change' | 'issueNotificationToken' | 'acknowledgedOtherwise'
  >;
  readonly registrations: RegistrationStore;
  readonly ciba: Pick<CibaClient, 'start'>;
  readonly lanes: ProviderLanes;
  readonly instanceId: string;
  readonly refusedClients: RefusedClients;
  /** A request whose client is refused fails when it is older than this. */
  readonly refusedClientWaitSeconds: number;
  /** A request that is older than this when its turn comes is given up. */
  readonly startWithinSeconds: number;
  readonly persevere: Persevere;
  /** Aborts when no further attempt may begin. */
  readonly stopping: AbortSignal;
  readonly onStarted: (outcome: StartOutcome['kind']) => void;
  readonly log: Log;
  /** The monotonic clock. */
  readonly nowMs: () => number;
}

/** Longest time that a start call can take, discovery and keys included, in ms. */
const callTimeoutMs = 45_000;

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
type Conclusion = () => Promise<Next>;

/** What follows an attempt: nothing, or another one after a while. */
type Next =
  | 'settled'
  | {
      readonly inMs: number;
      readonly earlierPrompts: number | null;
      /** What is asked then, when it is something else. */
      readonly work?: StartWork;
    };

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
export class StartAuthentication {
  readonly #underWay = new Map<string, Promise<void>>();
  /** Requests that wait for a place in a full lane. */
  readonly #standingBy = new Set<string>();

  constructor(private readonly parts: StartAuthenticationParts) {}

  /**
   * Takes a request on and answers at once; its call waits for its turn in the provider's lane.
   *
   * So the message is acknowledged before its effect. That is safe, since the row is what counts and the sweep finds
   * it; and it is necessary, or messages of a slow provider would use up the consumer's prefetch window.
   *
   * @throws whatever keeps the request from being read
   */
  async run(requestId: string, cause: EventCause | null): Promise<void> {
    if (this.#standingBy.has(requestId)) return;
    await this.#takeOn(requestId, cause, (providerId) => this.parts.lanes.enter(providerId));
  }

  /** Answers whether the request has its place now, and gives it back when it is done. */
  async #takeOn(
    requestId: string,
    cause: EventCause | null,
    placeAt: (providerId: string) => Place | null,
  ): Promise<boolean> {
    if (this.#underWay.has(requestId) || this.parts.stopping.aborted) return false;
    const work = await this.parts.requests.startWork(requestId);
    if (work?.status !== 'requested' || this.#underWay.has(requestId)) return false;
    if ('sealed' in work) {
      await this.#whileSealed(work);
      return false;
    }
    const pause = this.parts.refusedClients.pause(work.rule);
    if (pause !== null) {
      await this.#whileRefused(work, pause);
      return false;
    }
    const { tokenProviderId } = work.definition;
    const place = placeAt(tokenProviderId);
    if (place === null) {
      this.#standBy(requestId, cause, tokenProviderId);
      return false;
    }
    const done = this.#attempts(work, cause, place)
      .catch((error: unknown) => this.#interrupted(requestId, error))
      .finally(() => {
        this.#underWay.delete(requestId);
        place.leave();
      });
    this.#underWay.set(requestId, done);
    return true;
  }

  /** A full lane: only the id is kept, and the request is read again when its place comes; the sweep finds the rest. */
  #standBy(requestId: string, cause: EventCause | null, providerId: string): void {
    const whenFree = (place: Place): void => {
      this.#standingBy.delete(requestId);
      void this.#takeOn(requestId, cause, () => place)
        .catch((error: unknown) => this.#interrupted(requestId, error))
        .then((taken) => {
          if (taken !== true) place.leave();
        });
    };
    if (this.parts.lanes.standBy(providerId, whenFree)) this.#standingBy.add(requestId);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  async #attempts(work: StartWork, cause: EventCause | null, place: Place): Promise<void> {
    let asked = work;
    let next: Next = { inMs: 0, earlierPrompts: null };
    // The event is put on record with the first attempt only; for another one it would be a duplicate.
    for (let because = cause; next !== 'settled'; because = null) {
      if (next.inMs > 0) await pause(next.inMs, undefined, { signal: this.parts.stopping });
      const { earlierPrompts, work: adjusted }: Exclude<Next, 'settled'> = next;
      asked = adjusted ?? asked;
      // The turn ends with the answer: while it is committed, the provider can be asked about somebody else.
      const conclude: Next | Conclusion = await place.turn(() => this.#attempt(asked, because, earlierPrompts));
      next = typeof conclude === 'function' ? await conclude() : conclude;
    }
  }

  async #attempt(work: StartWork, cause: EventCause | null, earlierPrompts: number | null): Promise<Next | Conclusion> {
    const { requests, instanceId, stopping } = this.parts;
    if (stopping.aborted) return 'settled';
    // Before the attempt is opened: while the database is away there is nothing to take back.
    const registration = await this.#registration(work);
    if (registration === 'sealed') return this.#whileSealed(work);
    const pause = registration === null ? null : await this.parts.refusedClients.admit(work.rule, registration);
    if (pause !== null) return this.#whileRefused(work, pause);
    const id = newId();
    const { requestId } = work;
    const notificationToken = work.definition.deliveryMode === 'poll' ? null : requests.issueNotificationToken();
    const openedAtMs = this.parts.nowMs();
    const attempt = { requestId, attemptId: id, instanceId, callTimeoutMs, notificationToken, cause };
    const opened = await this.#open(attempt);
    switch (opened.kind) {
      case 'not-requested':
      case 'in-progress':
      case 'duplicate':
        return 'settled';
      case 'lapsed':
        return this.#follow(
          work,
          opened.attemptId,
          afterUnknownStart(opened.attemptId, opened.unknownAttempts, work.definition),
          opened.unknownAttempts,
        );
      case 'opened':
        if (registration === null) return this.#conclude(requestId, endUncalled(id, opened, null));
        return this.#call(
          { ...work, bindingMessage: opened.bindingMessage },
          registration,
          attemptOf(id, opened, openedAtMs, earlierPrompts),
          notificationToken,
        );
    }
  }

  /**
   * Whether it was opened has to be known: an attempt that is on record, and that nobody makes, would lapse as one that
   * was made.
   */
  async #open(attempt: NewAttempt): Promise<OpenAttemptResult> {
    const { requests, persevere } = this.parts;
    try {
      return await requests.openAttempt(attempt);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return persevere('Opening an attempt', () => requests.openAttempt(attempt));
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

  /** What does not open now may open when the right master key is configured again: it has its time, like any other. */
  async #whileSealed({ requestId, createdAt, databaseNow }: StartWork | SealedStart): Promise<Next> {
    this.parts.log.error('What a start call needs does not open with the master keys of this process', { requestId });
    if (databaseNow.getTime() - createdAt.getTime() <= this.parts.startWithinSeconds * 1000) return 'settled';
    return this.#endUncalled(requestId, null);
  }

  /**
   * Nobody is called: the sweep comes back when the pause is over. A request waits for somebody to mend the client, but
   * not for long: whoever made it waits as well.
   */
  async #whileRefused({ requestId, createdAt, databaseNow }: StartWork, { error }: ClientPause): Promise<Next> {
    const waitedMs = databaseNow.getTime() - createdAt.getTime();
    if (waitedMs < this.parts.refusedClientWaitSeconds * 1000) return 'settled';
    return this.#endUncalled(requestId, { code: error, description: null });
  }

  /** An attempt is opened although no call follows: that keeps others from calling, and tells what came of earlier ones. */
  async #endUncalled(requestId: string, providerError: ProviderError | null): Promise<Next> {
    const { requests, instanceId } = this.parts;
    const attemptId = newId();
    const opened = await requests.openAttempt({ requestId, attemptId, instanceId, callTimeoutMs, cause: null });
    return this.#conclude(requestId, endUncalled(attemptId, opened, providerError));
  }

  async #call(
    work: StartWork,
    registration: StoredRegistration,
    attempt: Attempt,
    notificationToken: string | null,
  ): Promise<Next | Conclusion> {
    if (attempt.sentAt.getTime() - work.createdAt.getTime() > this.parts.startWithinSeconds * 1000) {
      return this.#giveUp(work, attempt);
    }
    const interactionId = registration.fapi ? randomUUID() : null;
    const outcome = await this.#start(registration, work, notificationToken, interactionId);
    if (interactionId !== null) {
      const { requestId } = work;
      this.parts.log.info('A start call was made', { requestId, kind: outcome.kind, interactionId });
    }
    this.parts.onStarted(outcome.kind);
    // Beside the commit, not before it: a hint for later calls must not hold up the only copy of an answer.
    const learned = this.parts.refusedClients.learn(work, registration, outcome);
    if ('detail' in outcome) {
      const { requestId, definition } = work;
      const { kind, detail } = outcome;
      this.parts.log.warn('A start call did not succeed', {
        requestId,
        provider: definition.tokenProviderId,
        kind,
        detail,
      });
    }
    return async () => {
      const next = await this.#settle(work, attempt, outcome, registration);
      await learned;
      return next;
    };
  }

  async #start(
    registration: StoredRegistration,
    work: StartWork,
    notificationToken: string | null,
    interactionId: string | null,
  ): Promise<StartOutcome> {
    try {
      return await this.parts.ciba.start(registration, startRequestOf(work, notificationToken, interactionId));
    } catch (error) {
      this.parts.log.error('A start call failed unexpectedly', { requestId: work.requestId, error });
      return { kind: 'unknown', detail: 'the call failed unexpectedly' };
    }
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
    return this.#follow(
      work,
      attempt.id,
      afterStart({ ...attempt, elapsedMs }, outcome, attempt.sentAt, asked, profile),
      attempt.earlierPrompts,
    );
  }

  async #follow(work: StartWork, attemptId: string, step: StartStep, earlierPrompts: number): Promise<Next> {
    switch (step.kind) {
      case 'change':
        return this.#change(work.requestId, step.command);
      case 'reword':
        return this.#reword(work, attemptId, step.bindingMessage, earlierPrompts);
      case 'again': {
        await this.#close(attemptId, step.close, step.inMs);
        const { inMs, earlierPrompts: prompts } = step;
        if (!step.withoutExpiry) return { inMs, earlierPrompts: prompts };
        const definition = { ...work.definition, requestedExpirySeconds: null };
        return { inMs, earlierPrompts: prompts, work: { ...work, definition } };
      }
    }
  }

  /** On record before it is sent: what the caller is told to show is what the phone shows, whatever happens next. */
  async #reword(work: StartWork, attemptId: string, bindingMessage: string, earlierPrompts: number): Promise<Next> {
    const { requestId, attributes } = work;
    const { id: ruleId, version: ruleVersion } = work.rule;
    const text = askedText({ ruleId, ruleVersion, attributes, bindingMessage });
    const requestHash = createHash('sha256').update(text).digest('base64url');
    const result = await this.parts.persevere('Rewording a request', () =>
      this.parts.requests.change(requestId, { type: 'reword', attemptId, bindingMessage, requestHash }),
    );
    if (result.kind !== 'applied') return 'settled';
    return { inMs: 0, earlierPrompts, work: { ...work, bindingMessage } };
  }

  /** Nobody needs to be asked any more about what was wanted so long ago. */
  async #giveUp(work: StartWork, attempt: Attempt): Promise<Next> {
    await this.#close(attempt.id, 'not-accepted');
    return this.#change(work.requestId, giveUp(attempt));
  }

  #conclude(requestId: string, command: Command | null): Promise<Next> | Next {
    return command === null ? 'settled' : this.#change(requestId, command);
  }

  /**
   * Commits what the call has led to, until the database has answered: our memory holds the only copy of an
   * `auth_req_id`. A refusal means that the request has ended meanwhile; then the prompt comes to nothing.
   */
  async #change(requestId: string, command: Command): Promise<Next> {
    const { requests, persevere } = this.parts;
    const result = await persevere('Recording a start call', () => requests.change(requestId, command));
    if (result.kind === 'refused' && command.type === 'acknowledge') await this.#endContradiction(requestId, command);
    const next = afterStartChange(command, result.kind);
    return next === null ? 'settled' : this.#change(requestId, next);
  }

  /**
   * A notification named another `auth_req_id` than the answer to the same call, and nobody can tell which of them the
   * person is asked about: what is unknown is not approved. A crash before this leaves the one that came first.
   */
  async #endContradiction(
    requestId: string,
    { attemptId, authReqId }: Extract<Command, { type: 'acknowledge' }>,
  ): Promise<void> {
    const { requests, persevere, log } = this.parts;
    const contradicts = await persevere('Comparing what the provider said', () =>
      requests.acknowledgedOtherwise(attemptId, authReqId),
    );
    if (!contradicts) return;
    log.warn('The provider named two auth_req_ids for one start call', {
      code: 'auth_req_id_contradiction',
      requestId,
    });
    const failure = { type: 'fail', reason: 'provider_error', providerError: null, fence: null, polls: 0 } as const;
    await persevere('Recording a start call', () => requests.change(requestId, failure));
  }

  async #close(attemptId: string, outcome: 'not-accepted' | 'unknown', nextInMs = 0): Promise<void> {
    const { requests, persevere } = this.parts;
    await persevere('Closing an attempt', () => requests.closeAttempt(attemptId, outcome, nextInMs));
  }

  /** The sweep finds the request again, in whichever state it was left. */
  #interrupted(requestId: string, error: unknown): void {
    if (this.parts.stopping.aborted) return;
    this.parts.log.warn('Starting a request was interrupted; the sweep goes on with it', { requestId, error });
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
