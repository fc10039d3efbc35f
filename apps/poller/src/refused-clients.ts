import type { PollOutcome } from '#lib/ciba';
import { acceptsClient, refusesClient } from '#lib/domain';
import type { ClientPause, ClientRefusalStore, StoredRegistration } from '#lib/persistence';
import { counter, type Log } from '#lib/runtime';
import type { Terms } from './pending-authentications.js';

/** What says nothing about the client: no answer, or one from something in front of the provider. */
const silent: readonly PollOutcome['kind'][] = ['not-sent', 'throttled', 'unavailable', 'lost'];

const showsAcceptance = (outcome: PollOutcome): boolean =>
  outcome.kind === 'refused' ? acceptsClient(outcome.error.code) : !silent.includes(outcome.kind);

/**
 * Spares providers that refuse a client as such: its polls pause for all pollers, and an operator is told.
 *
 * The request that was refused has its end already; what is learned here decides about the polls of others only.
 */
export class RefusedClients {
  readonly #refusals = counter({
    name: 'assent_client_refusals_total',
    help: 'Calls that were refused because of the client (invalid_client, unauthorized_client).',
    labelNames: ['provider', 'call'],
  });

  constructor(
    private readonly store: Pick<ClientRefusalStore, 'admit' | 'note' | 'accepted'>,
    private readonly log: Log,
  ) {}

  /** Null: the poll may be made. Never rejects: when the database is away, polls go on. */
  async admit({ rule }: Terms, { refusedCalls }: StoredRegistration): Promise<ClientPause | null> {
    try {
      return await this.store.admit({ rule, call: 'poll' }, refusedCalls.includes('poll'));
    } catch (error) {
      this.log.warn('Whether a client is refused could not be looked up', { rule: rule.id, error });
      return null;
    }
  }

  /** Notes what the outcome says about the client; never rejects. */
  async learn(
    { rule, tokenProviderId }: Terms,
    { refusedCalls }: StoredRegistration,
    outcome: PollOutcome,
  ): Promise<void> {
    const subject = { rule, call: 'poll' } as const;
    try {
      if (outcome.kind === 'refused' && refusesClient(outcome.error.code)) {
        const error = outcome.error.code;
        this.#refusals.inc({ provider: tokenProviderId, call: 'poll' });
        const { forMs } = await this.store.note(subject, { tokenProviderId, error });
        const detail = { code: 'client_refused', provider: tokenProviderId, rule: rule.id, error };
        this.log.warn('The provider refuses a client; its polls pause', { ...detail, pausedForMs: forMs });
      } else if (showsAcceptance(outcome)) {
        const ended = await this.store.accepted(subject, refusedCalls.includes('poll'));
        const detail = { code: 'client_accepted', provider: tokenProviderId, rule: rule.id };
        if (ended) this.log.info('The provider takes the client again', detail);
      }
    } catch (error) {
      this.log.warn('What a provider says of a client could not be noted', { rule: rule.id, error });
    }
  }
}
