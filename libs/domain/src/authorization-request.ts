/**
 * The life of an authorization request, as one table and one function.
 *
 * `decide` is the only place that says which change is legal. It is pure: the caller loads a snapshot, asks, and hands
 * the transition to the database, which applies it only while the snapshot still holds. Anything unknown is never
 * approved.
 */

/** Every status a request can have, in the order of its life. */
export const statuses = ['requested', 'pending', 'approved', 'denied', 'expired', 'cancelled', 'failed'] as const;
export type Status = (typeof statuses)[number];

/** The table of legal moves. The database's CHECK constraints and the documentation follow from it. */
export const moves = {
  requested: ['pending', 'denied', 'expired', 'cancelled', 'failed'],
  pending: ['approved', 'denied', 'expired', 'cancelled', 'failed'],
  approved: [],
  denied: [],
  expired: [],
  cancelled: [],
  failed: [],
} as const satisfies Record<Status, readonly Status[]>;

/** The statuses that end a request. */
export const outcomes = ['approved', 'denied', 'expired', 'cancelled', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

/** Why a request failed. */
export const failureReasons = [
  'unknown_user',
  'provider_error',
  'provider_rejected',
  'configuration_error',
  'invalid_evidence',
  'initiation_unknown',
  'outcome_unknown',
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Why a request was denied, when it was not the person who said no. */
export const denialReasons = ['provider_policy'] as const;
export type DenialReason = (typeof denialReasons)[number];
export type Reason = FailureReason | DenialReason;

/** True when nothing can change the status any more. */
export const isTerminal = (status: Status): status is Outcome => moves[status].length === 0;

/** What a decision about a request needs to know of it; read from its row. */
export interface Snapshot {
  readonly id: string;
  readonly status: Status;
  /** Database time when the start call was sent plus `expires_in`; null until the provider acknowledged. */
  readonly expiresAt: Date | null;
  readonly consumedAt: Date | null;
  /** Until when an approval may be consumed; null unless approved. */
  readonly consumeBy: Date | null;
}

/** An error that the provider named, cleaned for showing. */
export interface ProviderError {
  readonly code: string;
  readonly description: string | null;
}

/** What proves an approval; shown in the decision. */
export interface Evidence {
  readonly issuer: string;
  readonly subject: string;
  readonly acr: string | null;
  readonly amr: readonly string[] | null;
  /** Seconds since the epoch, from the ID token. */
  readonly authTime: number | null;
  /** Base64url SHA-256 of the ID token as received. */
  readonly idTokenSha256: string;
}

/** An access token that the rule releases to whoever consumes the approval. */
export interface ReleasedToken {
  readonly value: string;
  readonly tokenType: string;
  readonly expiresAt: Date | null;
  readonly scope: string;
}

/** Who may make a provider's word final: the current owner of the request's shard. */
export interface Fence {
  readonly shard: number;
  readonly owner: string;
  readonly epoch: number;
}

/** Something that happened, or that somebody wants, put to the state machine. */
export type Command =
  | {
      readonly type: 'acknowledge';
      readonly attemptId: string;
      readonly authReqId: string;
      /** Database time when the start call was sent. */
      readonly sentAt: Date;
      readonly expiresInSeconds: number;
      readonly intervalSeconds: number;
      /** The `auth_req_id` came with a ping or push, before the answer to the start call or in its place. */
      readonly byNotification?: boolean;
    }
  | {
      readonly type: 'fail-start';
      readonly attemptId: string | null;
      readonly reason: FailureReason;
      readonly providerError: ProviderError | null;
    }
  /** The provider refused the binding message, and asked nobody: the request goes on with another one. */
  | {
      readonly type: 'reword';
      readonly attemptId: string;
      readonly bindingMessage: string;
      /** Of the request with that message. */
      readonly requestHash: string;
    }
  | { readonly type: 'refuse-start'; readonly attemptId: string; readonly providerError: ProviderError | null }
  /** The request waited too long for its start call; nobody was asked. */
  | { readonly type: 'give-up-start' }
  | {
      readonly type: 'approve';
      readonly evidence: Evidence;
      readonly grantedScope: string;
      readonly consumeWithinSeconds: number;
      readonly releasedToken: ReleasedToken | null;
      /** True when the answer was stored on arrival, to be verified later: then its time of arrival counts. */
      readonly held: boolean;
      readonly polls: number;
    }
  | { readonly type: 'deny'; readonly providerError: ProviderError | null; readonly polls: number }
  /**
   * The deadline has passed by the database's clock. The poller gives its fence: an owner that was paused must not
   * declare expired what its successor is still resolving.
   */
  | { readonly type: 'expire'; readonly fence?: Fence; readonly polls: number }
  /**
   * The provider said `expired_token`. In answer to a poll only the owner may make that final, hence its fence; null
   * when the provider told it of its own accord, by push.
   */
  | { readonly type: 'provider-expired'; readonly fence: Fence | null; readonly polls: number }
  | {
      readonly type: 'fail';
      readonly reason: FailureReason;
      readonly providerError: ProviderError | null;
      /** Set when the failure rests on an answer that only the owner may make final (`invalid_grant`). */
      readonly fence: Fence | null;
      readonly polls: number;
    }
  | { readonly type: 'cancel'; readonly by: string }
  | { readonly type: 'consume'; readonly by: string; readonly key: string | null };

/** One line of a request's timeline. `detail` holds no secret, no token, no hint. */
export interface TimelineEntry {
  readonly type: string;
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

/** What the database must still find true, after it has locked the row, for a transition to count. */
export type Guard =
  | 'none'
  /** The database's clock is before `expiresAt`. */
  | 'before-deadline'
  /** The request's held answer was stored before `expiresAt`. */
  | 'held-before-deadline'
  /** The database's clock has reached `expiresAt`. */
  | 'after-deadline'
  /** The attempt that the transition closes is open: no other one has been begun since. */
  | 'attempt-open'
  /** Never consumed, and the database's clock is before `consumeBy`. */
  | 'consumable';

/** Values that a transition sets beside the status; absent members stay as they are. */
export interface Changes {
  readonly reason?: Reason;
  readonly providerError?: ProviderError;
  readonly bindingMessage?: string;
  readonly requestHash?: string;
  readonly authReqId?: string;
  readonly sentAt?: Date;
  readonly expiresAt?: Date;
  readonly intervalSeconds?: number;
  readonly evidence?: Evidence;
  readonly grantedScope?: string;
  readonly consumeWithinSeconds?: number;
  readonly releasedToken?: ReleasedToken;
  /** Evidence that came too late to count; kept for the record. */
  readonly lateEvidence?: Evidence;
  readonly consumed?: { readonly by: string; readonly key: string | null };
  readonly closedAttempt?: { readonly id: string; readonly outcome: 'acknowledged' | 'refused' | 'failed' | 'unknown' };
}

/** A legal change of one request; the database applies it whole or not at all. */
export interface Transition {
  readonly requestId: string;
  /** Compare-and-set: the change counts only while the request has this status. */
  readonly from: Status;
  readonly to: Status;
  readonly guard: Guard;
  readonly fence: Fence | null;
  readonly changes: Changes;
  readonly timeline: readonly TimelineEntry[];
}

/** Why a command does not apply. */
export type RefusalCode =
  | 'already_decided'
  /** The start call has been settled already; the request is pending. */
  | 'not_requested'
  /** The attempt that this is about was given up, and another one may be under way. */
  | 'attempt_closed'
  | 'not_pending'
  | 'not_due'
  | 'not_approved'
  | 'already_consumed'
  | 'approval_lapsed';

export interface Refusal {
  readonly refused: RefusalCode;
  /** Late evidence must be kept although it decides nothing. */
  readonly lateEvidence: Evidence | null;
}

export const isRefusal = (answer: Transition | Refusal): answer is Refusal => 'refused' in answer;

/**
 * Answers the transition that a command causes, or why it causes none.
 *
 * `now` is the caller's best knowledge of the database's clock; whatever depends on it is guarded, and checked again
 * by the database under the row's lock.
 */
export function decide(request: Snapshot, command: Command, now: Date): Transition | Refusal {
  switch (command.type) {
    case 'acknowledge':
      if (request.status !== 'requested') return refuse(afterRequested(request.status));
      return move(request, 'pending', {
        changes: {
          authReqId: command.authReqId,
          sentAt: command.sentAt,
          expiresAt: new Date(command.sentAt.getTime() + command.expiresInSeconds * 1000),
          intervalSeconds: command.intervalSeconds,
          closedAttempt: { id: command.attemptId, outcome: 'acknowledged' },
        },
        timeline: {
          type: 'initiated',
          detail: {
            expiresInSeconds: command.expiresInSeconds,
            intervalSeconds: command.intervalSeconds,
            ...(command.byNotification === true && { byNotification: true }),
          },
        },
      });

    case 'fail-start':
      if (request.status !== 'requested') return refuse(afterRequested(request.status));
      return move(request, 'failed', {
        changes: {
          reason: command.reason,
          ...named(command.providerError),
          ...(command.attemptId && {
            closedAttempt: {
              id: command.attemptId,
              outcome: command.reason === 'initiation_unknown' ? 'unknown' : 'failed',
            },
          }),
        },
        timeline: failure(command.reason, command.providerError),
      });

    case 'reword':
      if (request.status !== 'requested') return refuse(afterRequested(request.status));
      return move(request, 'requested', {
        guard: 'attempt-open',
        changes: {
          bindingMessage: command.bindingMessage,
          requestHash: command.requestHash,
          closedAttempt: { id: command.attemptId, outcome: 'refused' },
        },
        timeline: { type: 'reworded', detail: { by: 'provider' } },
      });

    case 'refuse-start':
      if (request.status !== 'requested') return refuse(afterRequested(request.status));
      return move(request, 'denied', {
        changes: {
          reason: 'provider_policy',
          ...named(command.providerError),
          closedAttempt: { id: command.attemptId, outcome: 'refused' },
        },
        timeline: { type: 'denied', detail: { by: 'provider' } },
      });

    case 'give-up-start':
      if (request.status !== 'requested') return refuse(afterRequested(request.status));
      return move(request, 'expired', { timeline: { type: 'expired', detail: { asked: false } } });

    case 'approve':
      if (request.status !== 'pending') return refuse(afterPending(request.status), command.evidence);
      if (!command.held && (request.expiresAt === null || now >= request.expiresAt)) {
        return move(request, 'expired', {
          guard: 'after-deadline',
          changes: { lateEvidence: command.evidence },
          timeline: { type: 'expired', detail: { lateApproval: true, polls: command.polls } },
        });
      }
      return move(request, 'approved', {
        guard: command.held ? 'held-before-deadline' : 'before-deadline',
        changes: {
          evidence: command.evidence,
          grantedScope: command.grantedScope,
          consumeWithinSeconds: command.consumeWithinSeconds,
          ...(command.releasedToken && { releasedToken: command.releasedToken }),
        },
        timeline: { type: 'approved', detail: { acr: command.evidence.acr, polls: command.polls } },
      });

    case 'deny':
      if (request.status !== 'pending') return refuse(afterPending(request.status));
      return move(request, 'denied', {
        changes: named(command.providerError),
        timeline: { type: 'denied', detail: { by: 'person', polls: command.polls } },
      });

    case 'expire':
      if (request.status !== 'pending') return refuse(afterPending(request.status));
      if (request.expiresAt === null || now < request.expiresAt) return refuse('not_due');
      return move(request, 'expired', {
        guard: 'after-deadline',
        fence: command.fence ?? null,
        timeline: { type: 'expired', detail: { asked: true, polls: command.polls } },
      });

    case 'provider-expired':
      if (request.status !== 'pending') return refuse(afterPending(request.status));
      return move(request, 'expired', {
        fence: command.fence,
        timeline: { type: 'expired', detail: { asked: true, saidBy: 'provider', polls: command.polls } },
      });

    case 'fail':
      if (request.status !== 'pending') return refuse(afterPending(request.status));
      return move(request, 'failed', {
        fence: command.fence,
        changes: { reason: command.reason, ...named(command.providerError) },
        timeline: failure(command.reason, command.providerError, command.polls),
      });

    case 'cancel':
      if (isTerminal(request.status)) return refuse('already_decided');
      return move(request, 'cancelled', { timeline: { type: 'cancelled', detail: { by: command.by } } });

    case 'consume':
      if (request.status !== 'approved') return refuse('not_approved');
      if (request.consumedAt !== null) return refuse('already_consumed');
      if (request.consumeBy === null || now >= request.consumeBy) return refuse('approval_lapsed');
      return move(request, 'approved', {
        guard: 'consumable',
        changes: { consumed: { by: command.by, key: command.key } },
        timeline: { type: 'consumed', detail: { by: command.by } },
      });
  }
}

const named = (error: ProviderError | null): Changes => (error === null ? {} : { providerError: error });

const afterRequested = (status: Status): RefusalCode => (isTerminal(status) ? 'already_decided' : 'not_requested');

const afterPending = (status: Status): RefusalCode => (isTerminal(status) ? 'already_decided' : 'not_pending');

const refuse = (refused: RefusalCode, lateEvidence: Evidence | null = null): Refusal => ({ refused, lateEvidence });

const failure = (reason: FailureReason, error: ProviderError | null, polls?: number): TimelineEntry => ({
  type: 'failed',
  detail: { reason, ...(error && { error: error.code }), ...(polls !== undefined && { polls }) },
});

function move(
  request: Snapshot,
  to: Status,
  rest: { guard?: Guard; fence?: Fence | null; changes?: Changes; timeline: TimelineEntry },
): Transition {
  return {
    requestId: request.id,
    from: request.status,
    to,
    guard: rest.guard ?? 'none',
    fence: rest.fence ?? null,
    changes: rest.changes ?? {},
    timeline: [rest.timeline],
  };
}

/** The shard of a request: the last byte of its id, which version 7 UUIDs fill at random. */
export const shardOf = (requestId: string): number => Number.parseInt(requestId.slice(-2), 16);

/** How many shards pollers share among themselves. */
export const shardCount = 256;
