import { expectationOf, type CibaClient, type TokenAnswer, type Verification } from '#lib/ciba';
import type { Command, ReleasedToken } from '#lib/domain';
import {
  isUnavailable,
  type AskedRequest,
  type RegistrationStore,
  type RequestStore,
  type StoredRegistration,
} from '#lib/persistence';
import type { Log, Persevere } from '#lib/runtime';
import type { DatabaseClock } from './database-clock.js';
import type { PendingAuthentication } from './pending-authentications.js';

/** Tokens that have reached us. */
export interface ArrivedAnswer {
  readonly answer: TokenAnswer;
  /** On the monotonic clock. */
  readonly receivedAtMs: number;
  /** Null: in memory only. Else stored, before the deadline or not. */
  readonly stored: 'in-time' | 'late' | null;
}

/** What an answer is held against. */
interface Basis {
  readonly registration: StoredRegistration;
  /** Null where the rule says all that there is to prove. */
  readonly asked: AskedRequest | null;
}

/** How often an answer is verified again while the provider's keys are not to be had, in ms. */
export const verifyAgainMs = 5000;
/** How long an answer waits for the keys at least, beyond the deadline too, in ms. */
const patienceMs = 60_000;

export interface VerifyAnswerParts {
  readonly ciba: Pick<CibaClient, 'verify'>;
  readonly registrations: RegistrationStore;
  readonly requests: Pick<RequestStore, 'asked' | 'holdAnswer'>;
  readonly clock: DatabaseClock;
  readonly persevere: Persevere;
  readonly log: Log;
}

/** Decides whether tokens prove an approval, and keeps them, sealed, while that cannot be known. */
export class VerifyAnswer {
  constructor(private readonly parts: VerifyAnswerParts) {}

  /**
   * The command that the tokens lead to; null while the provider's keys are not to be had.
   *
   * @throws GivenUp
   */
  async run(request: PendingAuthentication, arrived: ArrivedAnswer): Promise<Command | null> {
    const verification = await this.#verify(request, arrived.answer);
    switch (verification.kind) {
      case 'verified':
        return {
          type: 'approve',
          evidence: verification.evidence,
          grantedScope: verification.grantedScope,
          consumeWithinSeconds: request.terms.consumeWithinSeconds,
          releasedToken: request.terms.releaseAccessToken ? this.#released(arrived, verification.grantedScope) : null,
          held: arrived.stored === 'in-time',
          polls: request.polls,
        };
      case 'rejected':
        this.parts.log.warn('Tokens prove no approval', {
          requestId: request.requestId,
          tokenProviderId: request.terms.tokenProviderId,
          problem: verification.problem,
        });
        return invalidEvidence(request);
      case 'keys-unavailable':
        return null;
    }
  }

  /**
   * Stores tokens whose verification has to wait. The grant is used up: without them a restart would lose the approval.
   *
   * @throws GivenUp
   */
  async hold(requestId: string, answer: TokenAnswer): Promise<void> {
    await this.parts.persevere('Storing an answer', () => this.parts.requests.holdAnswer(requestId, answer));
  }

  async #verify(request: PendingAuthentication, answer: TokenAnswer): Promise<Verification> {
    const basis = await this.parts.persevere('Loading what an answer is held against', () => this.#load(request));
    // The tokens are worth waiting for a rule, a provider or a master key that may come back.
    if (basis === null) return { kind: 'keys-unavailable', detail: 'what the answer is held against cannot be loaded' };
    const { registration, asked } = basis;
    const expectation = expectationOf(request.terms, request, asked, registration.provider.issuer);
    return this.parts.ciba.verify(registration, answer, expectation, this.parts.clock.now());
  }

  async #load({ requestId, terms }: PendingAuthentication): Promise<Basis | null> {
    try {
      const registration = await this.parts.registrations.load(terms.rule);
      if (!terms.provesPerRequest) return { registration, asked: null };
      const asked = await this.parts.requests.asked(requestId);
      return asked && { registration, asked };
    } catch (error) {
      if (isUnavailable(error)) throw error;
      return null;
    }
  }

  #released({ answer, receivedAtMs }: ArrivedAnswer, scope: string): ReleasedToken | null {
    const { accessToken, tokenType, expiresInSeconds } = answer;
    // A token bound to a key is of no use to whoever lacks that key.
    if (accessToken === null || tokenType?.toLowerCase() !== 'bearer') return null;
    const expiresAt =
      expiresInSeconds === null ? null : this.parts.clock.toDatabaseTime(receivedAtMs + expiresInSeconds * 1000);
    return { value: accessToken, tokenType, expiresAt, scope };
  }
}

/** Until when an answer waits for the provider's keys. */
export const patienceEndsMs = (deadlineMs: number, { receivedAtMs }: ArrivedAnswer): number =>
  Math.max(deadlineMs, receivedAtMs + patienceMs);

/** Evidence that is missing or wrong is no approval; whoever received it may say so. */
export const invalidEvidence = ({ polls }: { readonly polls: number }): Command => ({
  type: 'fail',
  reason: 'invalid_evidence',
  providerError: null,
  fence: null,
  polls,
});
