import type { CibaClient, PollOutcome } from '#lib/ciba';
import type { Fence } from '#lib/domain';
import type { RegistrationStore } from '#lib/persistence';
import { afterPoll, type Step } from './after-poll.js';
import type { PendingAuthentication } from './pending-authentications.js';
import type { PollHealth } from './provider-queues.js';

/** The circumstances of one poll. */
export interface PollOrder {
  /** Our right to ask, as it was when the poll's turn came. */
  readonly fence: Fence;
  /** The wait until the next poll, if there is one, as it is when the answer has come. */
  readonly spacingMs: () => number;
}

export interface PollResult {
  readonly outcome: PollOutcome['kind'];
  readonly health: PollHealth;
  readonly step: Step;
}

/** Asks the provider once how a request stands, and says what follows. */
export class PollAuthentication {
  constructor(
    private readonly ciba: Pick<CibaClient, 'poll'>,
    private readonly registrations: RegistrationStore,
    private readonly nowMs: () => number,
  ) {}

  /** Sends one poll at most, writes nothing, and never rejects. */
  async run(request: PendingAuthentication, order: PollOrder): Promise<PollResult> {
    const sentAtMs = this.nowMs();
    const outcome = await this.#ask(request);
    const { fence } = order;
    const step = afterPoll({ ...request, fence, spacingMs: order.spacingMs(), sentAtMs }, outcome, this.nowMs());
    return { outcome: outcome.kind, health: healthAfter(outcome), step };
  }

  async #ask({ terms, authReqId }: PendingAuthentication): Promise<PollOutcome> {
    let registration;
    try {
      registration = await this.registrations.load(terms.rule);
    } catch {
      return { kind: 'not-sent', detail: 'the registration could not be loaded' };
    }
    try {
      return await this.ciba.poll(registration, authReqId, terms.requestedScope);
    } catch {
      // A mistake of ours, after who knows what went out: the cautious reading.
      return { kind: 'lost', detail: 'the poll failed unexpectedly' };
    }
  }
}

function healthAfter(outcome: PollOutcome): PollHealth {
  switch (outcome.kind) {
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
