import { randomBytes } from 'node:crypto';
import type { TokenChange } from './misbehaviours.js';
import type { Peculiarity } from './peculiarity.js';
import { refuse, replyOf, type Reply } from './reply.js';

/** Something that happens to some people at some providers; a hint asks for it: `alice+<name>@example.com`. */
export interface Circumstance {
  readonly name: string;
  readonly peculiarity: Peculiarity;
  /** Answers the start call; nobody is asked. */
  readonly start?: Reply;
  /** Answers the token call once the person has approved. */
  readonly redeem?: Reply;
  /** Members of the acknowledgement; undefined leaves one out. */
  readonly acknowledgement?: Readonly<Record<string, unknown>>;
  readonly authReqId?: () => string;
  /** The person is quicker than the answer to the start call. */
  readonly answersAtOnce?: 'approved' | 'denied';
  /** A poll is held until there is something to say. */
  readonly holdsSeconds?: number;
  /** What is wrong with what is pushed. */
  readonly pushes?: { readonly change?: TokenChange; readonly authReqId?: string; readonly times?: number };
  /** Every poll takes so long. */
  readonly answersAfterSeconds?: number;
}

/** What can happen anywhere. */
export const everywhere: readonly Circumstance[] = [
  {
    name: 'at-once',
    peculiarity: ['Q30', 'the person approves before the start call is answered'],
    answersAtOnce: 'approved',
  },
  {
    name: 'no-interval',
    peculiarity: ['Q18', 'the acknowledgement has no interval'],
    acknowledgement: { interval: undefined },
  },
  {
    name: 'interval-as-text',
    peculiarity: ['Q40', 'the interval is text: "1"'],
    acknowledgement: { interval: '1' },
  },
  { name: 'interval-zero', peculiarity: ['Q40', 'the interval is 0'], acknowledgement: { interval: 0 } },
  {
    name: 'odd-id',
    peculiarity: ['Q28', 'the auth_req_id has characters beyond the safe alphabet'],
    authReqId: () => `a+b/c=d&e%f g~h'i(j)*k!${randomBytes(16).toString('base64')}`,
  },
  {
    name: 'long-poll',
    peculiarity: ['Q25', 'a poll is held for up to 10 s, until the person has answered'],
    holdsSeconds: 10,
  },
  {
    name: 'meltdown',
    peculiarity: ['Q44', 'every poll is answered after 8 s only'],
    answersAfterSeconds: 8,
  },
  {
    name: 'push-other-hash',
    peculiarity: ['push', 'the at_hash of pushed tokens does not fit'],
    pushes: { change: { claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } } },
  },
  {
    name: 'push-foreign-id',
    peculiarity: ['push', 'pushed tokens come with the auth_req_id of somebody else'],
    pushes: { authReqId: 'of-somebody-else' },
  },
  { name: 'push-twice', peculiarity: ['push', 'the result is pushed twice'], pushes: { times: 2 } },
  {
    name: 'ciba-off',
    peculiarity: ['Q26', '403 with invalid_request: CIBA is switched off'],
    start: replyOf(refuse('invalid_request', 'CIBA is not enabled for this client', 403)),
  },
];

export const noPushEnrolment: Circumstance = {
  name: 'no-push',
  peculiarity: ['Q6', 'invalid_request: the person has enrolled no device'],
  start: replyOf(refuse('invalid_request', 'User does not have push notifications enabled')),
};

export const deviceChannelFails: Circumstance = {
  name: 'device-fails',
  peculiarity: ['Q27', '503 server_error without Retry-After: the device channel has failed'],
  start: replyOf(refuse('server_error', 'Failed to send authentication request', 503)),
};

export const accountNotSetUp: Circumstance = {
  name: 'not-set-up',
  peculiarity: ['Q29', 'an approval ends as invalid_grant'],
  redeem: replyOf(refuse('invalid_grant', 'Account is not fully set up')),
};

export const scopeGone: Circumstance = {
  name: 'scope-gone',
  peculiarity: ['Q29', 'an approval ends as invalid_scope'],
  redeem: replyOf(refuse('invalid_scope', 'Client no longer has requested consent from user')),
};

export const noAuthenticator: Circumstance = {
  name: 'no-authenticator',
  peculiarity: ['Q38', 'the person has not enabled transactions on the device'],
  start: replyOf(refuse('access_denied', 'The user has no authenticator enrolled for CIBA transactions')),
};

export const policySaysNo: Circumstance = {
  name: 'blocked',
  peculiarity: ['Q26', '403 with access_denied at the start'],
  start: replyOf(refuse('access_denied', 'Not allowed for this subscriber', 403)),
};
