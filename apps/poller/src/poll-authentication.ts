import { randomUUID } from 'node:crypto';
import type { CibaClient, PollOutcome } from '#lib/ciba';
import type { Fence } from '#lib/domain';
import type { RegistrationStore } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import { afterPoll, type PollAnswer, type Polled, type Step } from './after-poll.js';
import type { PendingAuthentication } from './pending-authentications.js';
import type { PollHealth } from './provider-queues.js';
import type { RefusedClients } from './refused-clients.js';

/** The circumstances of one poll. */
export interface PollOrder {
  /** Our right to ask, as it was when the poll's turn came. */
  readonly fence: Fence;
  /** The wait until the next poll, if there is one, as it is when the answer has come. */
  readonly spacingMs: () => number;
}

export interface PollResult {
  readonly outcome: PollAnswer['kind'];
  readonly health: PollHealth;
  readonly step: Step;
}

/** What came of a poll, and when it was sent. */
interface Asked {
  readonly outcome: PollAnswer;
  readonly sentAtMs: number;
}

/** Answers that come again and again: nobody asks the provider about one of them. */
const undecided: readonly PollOutcome['kind'][] = ['pending', 'slow-down'];

/** Asks the provider once how a request stands, and says what follows. */
export class PollAuthentication {
  constructor(
    private readonly ciba: Pick<CibaClient, 'poll'>,
    private readonly registrations: RegistrationStore,
    private readonly refusedClients: RefusedClients,
    private readonly log: Log,
    private readonly nowMs: () => number,
  ) {}

  /** Sends one poll at most, writes nothing about the request, and never rejects. */
  async run(request: PendingAuthentication, order: PollOrder): Promise<PollResult> {
    const { outcome, sentAtMs } = await this.#ask(request);
    const step = afterPoll(polledOf(request, order, sentAtMs), outcome, this.nowMs());
    return { outcome: outcome.kind, health: healthAfter(outcome), step };
  }

  /** What is needed for a poll is loaded before it counts as sent: an answer is not late because the database was. */
  async #ask({ requestId, terms, authReqId }: PendingAuthentication): Promise<Asked> {
    let registration;
    try {
      const loaded = this.registrations.load(terms.rule);
      // Nearly always known, and then there is nothing to wait for: this is done for every poll.
      registration = loaded instanceof Promise ? await loaded : loaded;
    } catch (error) {
      this.log.warn('A poll was not sent: its registration could not be loaded', { requestId, error });
      return this.#unsent({ kind: 'not-sent', detail: 'the registration could not be loaded' });
    }
    const admitted = this.refusedClients.admit(terms, registration);
    const pause = admitted === null ? null : await admitted;
    if (pause !== null) return this.#unsent({ kind: 'client-refused', pausedForMs: pause.forMs });
    const sentAtMs = this.nowMs();
    const interactionId = registration.fapi ? randomUUID() : null;
    let outcome: PollOutcome;
    try {
      outcome = await this.ciba.poll(registration, authReqId, terms.requestedScope, interactionId);
    } catch {
      // A mistake of ours, after who knows what went out: the cautious reading.
      outcome = { kind: 'lost', detail: 'the poll failed unexpectedly' };
    }
    if (interactionId !== null && !undecided.includes(outcome.kind)) {
      this.log.info('A poll was answered', { requestId, kind: outcome.kind, interactionId });
    }
    // Not awaited: it is a hint for later calls, and the answer may be the only copy of a grant.
    void this.refusedClients.learn(terms, registration, outcome);
    return { outcome, sentAtMs };
  }

  #unsent(outcome: PollAnswer): Asked {
    return { outcome, sentAtMs: this.nowMs() };
  }
}

/** Member by member: spreading an object of this size takes as long as all else that is done about a poll. */
function polledOf(request: PendingAuthentication, { fence, spacingMs }: PollOrder, sentAtMs: number): Polled {
  return {
    intervalMs: request.intervalMs,
    spacingMs: spacingMs(),
    deadlineMs: request.deadlineMs,
    sentAtMs,
    doubt: request.doubt,
    lost: request.lost,
    takenOver: request.takenOver,
    resolving: request.resolving,
    barred: request.barred,
    failures: request.failures,
    polls: request.polls,
    fence,
  };
}

function healthAfter(outcome: PollAnswer): PollHealth {
  switch (outcome.kind) {
    case 'client-refused':
      return { kind: 'unasked' };
    case 'not-sent':
    case 'unavailable':
    case 'lost':
      return { kind: 'failed' };
    case 'throttled':
      return { kind: 'throttled', forMs: outcome.retryAfterSeconds * 1000 };
    case 'pending':
    case 'slow-down':
    case 'tokens':
    case 'denied':
    case 'expired':
    case 'invalid-grant':
    case 'refused':
      return { kind: 'answered' };
  }
}
