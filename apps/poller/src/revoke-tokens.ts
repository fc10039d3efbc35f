import { randomUUID } from 'node:crypto';
import type { CibaClient, TokenAnswer } from '#lib/ciba';
import type { RegistrationStore } from '#lib/persistence';
import type { Log } from '#lib/runtime';
import type { PendingAuthentication } from './pending-authentications.js';

/** Revocations under way at once, over all providers. */
const maximumInFlight = 16;

/**
 * Has providers revoke tokens that nobody needs, beside everything else: nobody waits for it, nothing is repeated, and
 * what does not fit in is left out.
 */
export class RevokeTokens {
  #inFlight = 0;
  #leftOut = 0;

  constructor(
    private readonly ciba: Pick<CibaClient, 'revoke'>,
    private readonly registrations: Pick<RegistrationStore, 'load'>,
    private readonly log: Log,
  ) {}

  /** Begins, and returns at once; never throws. */
  begin(request: Pick<PendingAuthentication, 'requestId' | 'terms'>, answer: TokenAnswer): void {
    if (this.#inFlight >= maximumInFlight) {
      this.#leftOut += 1;
      this.log.debug('Tokens are not revoked: too many revocations are under way', { leftOut: this.#leftOut });
      return;
    }
    this.#inFlight += 1;
    void this.#revoke(request, answer).finally(() => (this.#inFlight -= 1));
  }

  async #revoke(
    { requestId, terms }: Pick<PendingAuthentication, 'requestId' | 'terms'>,
    answer: TokenAnswer,
  ): Promise<void> {
    try {
      const registration = await this.registrations.load(terms.rule);
      const outcome = await this.ciba.revoke(registration, answer, registration.fapi ? randomUUID() : null);
      if (outcome !== 'not-offered') this.log.debug('Tokens that nobody needs', { requestId, outcome });
    } catch (error) {
      this.log.debug('Tokens could not be revoked', { requestId, error });
    }
  }
}
