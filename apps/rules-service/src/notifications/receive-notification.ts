import { createHash, timingSafeEqual } from 'node:crypto';
import { readNotification, readPushedAnswer, type PushedAnswer, type TokenAnswer } from '#lib/ciba';
import { defaultExpirySeconds, defaultIntervalSeconds, type Command } from '#lib/domain';
import type { Database, NotifiedAttempt } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { unfitting, type KnownNotifier } from './notification-bearer.js';
import type { RecordLatePush } from './record-late-push.js';

/**
 * Takes in what a provider tells of its own accord (CIBA Core 1.0 §10.2, §10.3).
 *
 * What counts is committed before this resolves, and so before the provider is answered: providers do not repeat a
 * notification. A crash before the commit leaves the provider without an answer, and the request to its fallback polls;
 * a crash after it leaves the event in the outbox, from which any process sends it.
 *
 * The `auth_req_id` may be news: when the notification overtakes the answer to the start call, or when that answer was
 * lost. Then the request becomes pending with it. Whoever names an `auth_req_id` first wins; a start answer with
 * another one finds the request pending already and changes nothing.
 */
export class ReceiveNotification {
  constructor(
    private readonly requests: Pick<Database['requests'], 'notified' | 'change' | 'noteNotification'>,
    private readonly recordLatePush: Pick<RecordLatePush, 'run'>,
  ) {}

  /** @throws ProblemError `malformed_body`; `unauthenticated` for an `auth_req_id` that the token does not fit */
  async run({ token, attempt }: KnownNotifier, text: string): Promise<void> {
    const notification = readNotification(text);
    if (notification === null) throw malformed('A JSON object with the member auth_req_id is expected.');
    const pushed = attempt.deliveryMode === 'push' ? readPushedAnswer(notification) : null;
    if (attempt.deliveryMode === 'push' && pushed === null) throw malformed('Either tokens or an error is expected.');
    await this.#settleId(token, attempt, notification.authReqId);
    const { requestId } = attempt;
    if (pushed === null) await this.requests.noteNotification(requestId, null);
    else if (pushed.kind === 'tokens') await this.#keep(token, requestId, notification.authReqId, pushed.answer);
    else await this.requests.change(requestId, endOf(pushed));
  }

  async #keep(token: string, requestId: string, authReqId: string, answer: TokenAnswer): Promise<void> {
    const isNews = await this.requests.noteNotification(requestId, answer);
    if (!isNews) await this.recordLatePush.run(token, authReqId, answer);
  }

  /** Resolves when this is the request's `auth_req_id`, or the request has ended without one. */
  async #settleId(token: string, attempt: NotifiedAttempt, authReqId: string): Promise<void> {
    // At most one more round: a request that is not `requested` any more never becomes it again.
    for (let current: NotifiedAttempt | null = attempt; ; current = await this.requests.notified(token)) {
      const settlement = settlementOf(current, authReqId);
      if (current === null || settlement === 'unfitting') throw unfitting();
      if (settlement === 'settled') return;
      const result = await this.requests.change(current.requestId, settlement);
      if (result.kind === 'applied') return;
      // One `auth_req_id` never serves two requests.
      if (result.kind !== 'refused') throw unfitting();
    }
  }
}

/** What has to be known of a start call to settle its `auth_req_id`. */
type StartCall = Pick<
  NotifiedAttempt,
  'requestId' | 'attemptId' | 'sentAt' | 'status' | 'authReqIdSha256' | 'requestedExpirySeconds'
>;

/** Whether a notification's `auth_req_id` is the request's, cannot be, or is news and put to the state machine. */
export function settlementOf(current: StartCall | null, authReqId: string): 'settled' | 'unfitting' | Command {
  if (current === null) return 'unfitting';
  if (current.authReqIdSha256 !== null) return isSame(current.authReqIdSha256, authReqId) ? 'settled' : 'unfitting';
  return current.status === 'requested' ? acknowledgement(current, authReqId) : 'settled';
}

/** The provider's own word on expiry and interval is not known here: the careful reading of what was asked. */
const acknowledgement = (attempt: StartCall, authReqId: string): Command => ({
  type: 'acknowledge',
  attemptId: attempt.attemptId,
  authReqId,
  sentAt: attempt.sentAt,
  expiresInSeconds: attempt.requestedExpirySeconds ?? defaultExpirySeconds,
  intervalSeconds: defaultIntervalSeconds,
  byNotification: true,
});

/** What a pushed error ends the request with. */
export function endOf(pushed: Exclude<PushedAnswer, { kind: 'tokens' }>): Command {
  switch (pushed.kind) {
    case 'denied':
      return { type: 'deny', providerError: pushed.error, polls: 0 };
    case 'expired':
      return { type: 'provider-expired', fence: null, polls: 0 };
    case 'failed':
      return { type: 'fail', reason: 'provider_rejected', providerError: pushed.error, fence: null, polls: 0 };
  }
}

const isSame = (known: Buffer, authReqId: string): boolean =>
  timingSafeEqual(known, createHash('sha256').update(authReqId).digest());

const malformed = (detail: string): ProblemError => new ProblemError('malformed_body', detail);
