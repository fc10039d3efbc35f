import type { Database, NotifiedAttempt } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';

/** A notification whose bearer token fits. */
export interface KnownNotifier {
  readonly token: string;
  readonly attempt: NotifiedAttempt;
}

const known = new WeakMap<object, KnownNotifier>();

/**
 * Finds out which start call a notification belongs to, before a byte of its body is read: whoever has no token that
 * fits learns nothing from the answer, whatever the body.
 */
export class NotificationBearer {
  constructor(private readonly requests: Pick<Database['requests'], 'notified'>) {}

  /** @throws ProblemError `unauthenticated` */
  async admit(call: object, authorization: string | undefined): Promise<KnownNotifier> {
    // RFC 6750 §2.1; the scheme's name counts in any case (RFC 9110 §11.1).
    const token = /^Bearer +([A-Za-z0-9._~+/-]{1,1024}=*)$/i.exec(authorization ?? '')?.[1];
    const attempt = token === undefined ? null : await this.requests.notified(token);
    if (token === undefined || attempt === null) throw unfitting();
    const notifier = { token, attempt };
    known.set(call, notifier);
    return notifier;
  }
}

/** Who sent this notification. */
export function notifierOf(call: object): KnownNotifier {
  const notifier = known.get(call);
  if (notifier === undefined) throw unfitting();
  return notifier;
}

/** One answer for every token that does not fit, and for every request that a token does not fit. */
export const unfitting = (): ProblemError =>
  new ProblemError('unauthenticated', 'This notification token belongs to no authorization request.', {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
