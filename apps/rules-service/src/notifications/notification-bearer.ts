import type { Database, NotifiedAttempt } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { countedAs, type CallAllowance } from './call-allowance.js';

/** A notification whose bearer token fits. */
export interface KnownNotifier {
  readonly token: string;
  readonly attempt: NotifiedAttempt;
}

/** One that was let in just now. */
export interface AdmittedNotifier extends KnownNotifier {
  /** Header fields of the answer: how many more calls this token has. */
  readonly rateLimit: Readonly<Record<string, string>>;
}

/** How many calls are heard before their senders have to wait. */
export interface NotificationAllowances {
  /** For each source address, of calls whose token does not fit. */
  readonly strangers: CallAllowance;
  /** For each token that we issued. */
  readonly holders: CallAllowance;
}

const known = new WeakMap<object, KnownNotifier>();

/**
 * Finds out which start call a notification belongs to, before a byte of its body is read: whoever has no token that
 * fits learns nothing from the answer, whatever the body.
 *
 * A provider does not repeat a notification that was refused, so nobody else may use up what a fitting token needs: our
 * own tokens are told from made-up ones first, without the database, and only the others count against the address that
 * they come from, which a provider may well share with strangers. A token of ours has an allowance of its own.
 */
export class NotificationBearer {
  constructor(
    private readonly requests: Pick<Database['requests'], 'notified' | 'issuedNotificationToken'>,
    private readonly allowances: NotificationAllowances,
  ) {}

  /** @throws ProblemError `unauthenticated`, `too_many_calls` */
  async admit(call: object, authorization: string | undefined, source: string): Promise<AdmittedNotifier> {
    // RFC 6750 §2.1; the scheme's name counts in any case (RFC 9110 §11.1).
    const token = /^Bearer +([A-Za-z0-9._~+/-]{1,1024}=*)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || !this.requests.issuedNotificationToken(token)) throw this.#stranger(source);
    const { holders } = this.allowances;
    const waitSeconds = holders.spend(token);
    const rateLimit = holders.headers(token);
    if (waitSeconds > 0) throw tooMany(waitSeconds, 'This notification token is used too often.', rateLimit);
    const attempt = await this.requests.notified(token);
    if (attempt === null) throw this.#stranger(source);
    const notifier = { token, attempt };
    known.set(call, notifier);
    return { ...notifier, rateLimit };
  }

  #stranger(source: string): ProblemError {
    const { strangers } = this.allowances;
    const caller = countedAs(source);
    const waitSeconds = strangers.spend(caller);
    const rateLimit = strangers.headers(caller);
    if (waitSeconds === 0) return unfitting(rateLimit);
    return tooMany(waitSeconds, 'Too many notification tokens did not fit.', rateLimit);
  }
}

/** Who sent this notification. */
export function notifierOf(call: object): KnownNotifier {
  const notifier = known.get(call);
  if (notifier === undefined) throw unfitting();
  return notifier;
}

/** One answer for every token that does not fit, and for every request that a token does not fit. */
export const unfitting = (rateLimit: Readonly<Record<string, string>> = {}): ProblemError =>
  new ProblemError('unauthenticated', 'This notification token belongs to no authorization request.', {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"', ...rateLimit },
  });

const tooMany = (waitSeconds: number, detail: string, rateLimit: Readonly<Record<string, string>>): ProblemError =>
  new ProblemError('too_many_calls', `${detail} Wait ${waitSeconds} s.`, {
    headers: { 'retry-after': String(waitSeconds), ...rateLimit },
  });
