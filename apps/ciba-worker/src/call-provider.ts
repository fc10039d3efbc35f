import { randomUUID } from 'node:crypto';
import { startRequestOf, type CibaClient, type StartOutcome } from '#lib/ciba';
import type { StartWork, StoredRegistration } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import type { RefusedClients } from './refused-clients.js';

/** What came of a start call. */
export interface CalledProvider {
  readonly outcome: StartOutcome;
  /** Resolves when what the outcome says about the client is noted; never rejects. */
  readonly noted: Promise<void>;
}

/** Makes a start call (CIBA Core 1.0 §7.1), and tells operators and later calls what came of it. */
export class CallProvider {
  constructor(
    private readonly ciba: Pick<CibaClient, 'start'>,
    private readonly refusedClients: Pick<RefusedClients, 'learn'>,
    private readonly onStarted: (outcome: StartOutcome['kind']) => void,
    private readonly log: Log,
  ) {}

  /** Calls once and never rejects: after an unexpected failure it is unknown whether the person was asked. */
  async run(
    registration: StoredRegistration,
    work: StartWork,
    notificationToken: string | null,
  ): Promise<CalledProvider> {
    const { requestId, definition } = work;
    const interactionId = registration.fapi ? randomUUID() : null;
    const outcome = await this.#start(registration, work, notificationToken, interactionId);
    if (interactionId !== null) {
      this.log.info('A start call was made', { requestId, kind: outcome.kind, interactionId });
    }
    this.onStarted(outcome.kind);
    // Beside the commit, not before it: a hint for later calls must not hold up the only copy of an answer.
    const noted = this.refusedClients.learn(work, registration, outcome);
    if ('detail' in outcome) {
      const { kind, detail } = outcome;
      const provider = definition.tokenProviderId;
      this.log.warn('A start call did not succeed', { requestId, provider, kind, detail });
    }
    return { outcome, noted };
  }

  async #start(
    registration: StoredRegistration,
    work: StartWork,
    notificationToken: string | null,
    interactionId: string | null,
  ): Promise<StartOutcome> {
    try {
      return await this.ciba.start(registration, startRequestOf(work, notificationToken, interactionId));
    } catch (error) {
      this.log.error('A start call failed unexpectedly', { requestId: work.requestId, error });
      return { kind: 'unknown', detail: 'the call failed unexpectedly' };
    }
  }
}
