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
  admit({ rule }: Terms, { refusedCalls }: StoredRegistration): null | Promise<ClientPause | null> {
    const asked = this.store.admit({ rule, call: 'poll' }, refusedCalls.includes('poll'));
    return (
      asked?.catch((error: unknown) => {
        this.log.warn('Whether a client is refused could not be looked up', { rule: rule.id, error });
        return null;
      }) ?? null
    );
  }

  /** Notes what the outcome says about the client; never rejects. */
  learn(terms: Terms, { refusedCalls }: StoredRegistration, outcome: PollOutcome): void | Promise<void> {
    const { rule } = terms;
    if (outcome.kind === 'refused' && refusesClient(outcome.error.code)) {
      return this.#noted(terms, this.#refused(terms, outcome.error.code));
    }
    if (!showsAcceptance(outcome)) return;
    const lifting = this.store.accepted({ rule, call: 'poll' }, refusedCalls.includes('poll'));
    if (lifting !== false) return this.#noted(terms, this.#accepted(terms, lifting));
  }

  async #refused({ rule, tokenProviderId }: Terms, error: string): Promise<void> {
    this.#refusals.inc({ provider: tokenProviderId, call: 'poll' });
    const { forMs } = await this.store.note({ rule, call: 'poll' }, { tokenProviderId, error });
    const detail = { code: 'client_refused', provider: tokenProviderId, rule: rule.id, error };
    this.log.warn('The provider refuses a client; its polls pause', { ...detail, pausedForMs: forMs });
  }

  async #accepted({ rule, tokenProviderId }: Terms, lifting: Promise<boolean>): Promise<void> {
    const detail = { code: 'client_accepted', provider: tokenProviderId, rule: rule.id };
    if (await lifting) this.log.info('The provider takes the client again', detail);
  }

  async #noted({ rule }: Terms, noting: Promise<void>): Promise<void> {
    try {
      await noting;
    } catch (error) {
      this.log.warn('What a provider says of a client could not be noted', { rule: rule.id, error });
    }
  }
}
