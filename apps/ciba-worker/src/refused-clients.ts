import type { StartOutcome } from '#lib/ciba';
import { acceptsClient, refusesClient } from '#lib/domain';
import type { ClientPause, ClientRefusalStore, StartWork, StoredRegistration } from '#lib/persistence';
import { counter, type Log } from '#lib/runtime';

type Rule = StartWork['rule'];

/**
 * Spares providers that refuse a client as such: its start calls pause for all workers, and an operator is told.
 *
 * What is learned here decides about the next calls only. The request that was refused has its end already, so a
 * database that is away costs no more than another refused call.
 */
export class RefusedClients {
  readonly #refusals = counter({
    name: 'assent_client_refusals_total',
    help: 'Calls that were refused because of the client (invalid_client, unauthorized_client).',
    labelNames: ['provider', 'call'],
  });

  constructor(
    private readonly store: Pick<ClientRefusalStore, 'pause' | 'admit' | 'note' | 'accepted'>,
    private readonly log: Log,
  ) {}

  /** As far as this process knows; asks nobody. */
  pause(rule: Rule): ClientPause | null {
    return this.store.pause({ rule, call: 'start' });
  }

  /** Null: the call may be made. */
  admit(rule: Rule, { refusedCalls }: StoredRegistration): null | Promise<ClientPause | null> {
    return this.store.admit({ rule, call: 'start' }, refusedCalls.includes('start'));
  }

  /** Notes what the outcome says about the client; never rejects. */
  async learn(
    { rule, definition: { tokenProviderId } }: StartWork,
    { refusedCalls }: StoredRegistration,
    outcome: StartOutcome,
  ): Promise<void> {
    const subject = { rule, call: 'start' } as const;
    const code = outcome.kind === 'refused' ? (outcome.means ?? outcome.error.code) : null;
    try {
      if (code !== null && refusesClient(code)) {
        this.#refusals.inc({ provider: tokenProviderId, call: 'start' });
        const { forMs } = await this.store.note(subject, { tokenProviderId, error: code });
        const detail = { code: 'client_refused', provider: tokenProviderId, rule: rule.id, error: code };
        this.log.warn('The provider refuses a client; its start calls pause', { ...detail, pausedForMs: forMs });
      } else if (outcome.kind === 'acknowledged' || (code !== null && acceptsClient(code))) {
        const ended = await this.store.accepted(subject, refusedCalls.includes('start'));
        const detail = { code: 'client_accepted', provider: tokenProviderId, rule: rule.id };
        if (ended) this.log.info('The provider takes the client again', detail);
      }
    } catch (error) {
      this.log.warn('What a provider says of a client could not be noted', { rule: rule.id, error });
    }
  }
}
