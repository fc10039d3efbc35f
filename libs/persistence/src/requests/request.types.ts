import type { Decision, Page } from '#lib/contracts';
import type {
  Attributes,
  Command,
  CountedLimit,
  DeliveryMode,
  Evidence,
  ExceededLimit,
  Fence,
  PromptLimits,
  ProviderError,
  Reason,
  Refusal,
  ReleasedToken,
  RuleDefinition,
  Snapshot,
  Status,
  Transition,
} from '#lib/domain';

/** A request as it is accepted; whatever names the person or may authenticate anybody is sealed before it is stored. */
export interface NewRequest {
  readonly id: string;
  readonly apiClientId: string;
  readonly idempotencyKey: string | null;
  /** What tells a repeated body from another one under the same idempotency key. */
  readonly bodyHash: Buffer;
  readonly rule: { readonly id: string; readonly name: string; readonly version: number };
  readonly tokenProviderId: string;
  readonly attributes: Attributes;
  readonly loginHint: string;
  /** The name under which the person is counted; only its keyed hash is stored. */
  readonly person: string;
  readonly limits: PromptLimits;
  /**
   * What makes two requests identical; null: this one is never joined. While an identical request of the person waits,
   * it is answered instead of a second prompt.
   */
  readonly joinText: string | null;
  readonly bindingMessage: string | null;
  readonly userCode: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly callbackUrl: string | null;
  readonly requestHash: string;
  /** W3C trace context of the call; every later event of the request carries it. */
  readonly traceparent: string | null;
}

/** Which requests count as left alone. */
export interface UnstartedOptions {
  readonly olderThanSeconds: number;
  readonly limit: number;
  /** Those whose client the provider refuses are left out while its pause lasts, until they are so old. */
  readonly pausedForSeconds: number;
}

/** What a call under a known idempotency key comes to. */
export type Repetition =
  { readonly kind: 'replayed'; readonly id: string } | { readonly kind: 'idempotency-key-reused' };

/** A limit that a request met: nothing was stored. */
export interface PromptRefusal {
  readonly kind: 'limited';
  readonly limit: ExceededLimit;
  readonly quota: number;
  /** Over which time the quota counts; null: over none. */
  readonly windowSeconds: number | null;
  readonly retryAfterSeconds: number;
}

/** How many more requests each limit lets through now; null: that limit is not set. */
export type LimitsLeft = Readonly<Record<CountedLimit, number | null>>;

export type SubmitResult =
  | { readonly kind: 'created'; readonly id: string; readonly createdAt: Date; readonly left: LimitsLeft }
  /** An identical request waits for the person: this call is answered with it. */
  | { readonly kind: 'joined'; readonly id: string }
  | PromptRefusal
  | Repetition;

export type ApplyResult =
  | { readonly kind: 'applied'; readonly stateVersion: number }
  | {
      readonly kind: 'refused';
      readonly current: Snapshot;
      /** The database's time after the row was locked. */
      readonly databaseNow: Date;
      /** The transition asked for an owner that is not the owner any more. */
      readonly fenced: boolean;
    }
  | { readonly kind: 'gone' }
  /** The ID token or the `auth_req_id` already serves another request. */
  | { readonly kind: 'evidence-reused' };

export type ChangeResult =
  | { readonly kind: 'applied'; readonly transition: Transition; readonly stateVersion: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly current: Snapshot }
  | { readonly kind: 'fenced-out' }
  | { readonly kind: 'evidence-reused' }
  | { readonly kind: 'gone' };

/** What the API's document of a request needs; the decision included as soon as it is recorded. */
export interface RequestView {
  readonly id: string;
  readonly apiClientId: string;
  readonly status: Status;
  readonly reason: Reason | null;
  readonly providerError: ProviderError | null;
  readonly rule: { readonly id: string; readonly name: string; readonly version: number };
  readonly bindingMessage: string | null;
  readonly requestHash: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly consumedAt: Date | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Grows with every change that the document shows. */
  readonly stateVersion: number;
  readonly decision: Decision | null;
}

/** The little that a waiter needs to know whether there is something new. */
export interface RequestState {
  readonly id: string;
  readonly status: Status;
  readonly stateVersion: number;
  /** True when the decision document is there. */
  readonly decided: boolean;
}

export interface RequestFilter {
  /** Null: the requests of every API client. */
  readonly apiClientId: string | null;
  readonly statuses?: readonly Status[] | undefined;
  /** The id or the name of a rule. */
  readonly rule?: string | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface TimelineRow {
  readonly at: Date;
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface ConsumedApproval {
  readonly consumedAt: Date;
  readonly consumeKey: string | null;
  readonly accessToken: ReleasedToken | null;
}

/** Everything that the start call of one request needs. */
export interface StartWork {
  readonly requestId: string;
  readonly status: Status;
  readonly createdAt: Date;
  readonly databaseNow: Date;
  readonly rule: { readonly id: string; readonly version: number };
  readonly definition: RuleDefinition;
  readonly attributes: Attributes;
  readonly loginHint: string;
  readonly bindingMessage: string | null;
  readonly userCode: string | null;
}

/** A start that has to wait: what it needs does not open with the master keys of this process. */
export type SealedStart = Pick<StartWork, 'requestId' | 'status' | 'createdAt' | 'databaseNow'> & {
  readonly sealed: true;
};

/** What an answer is held against when it depends on the request and not on its rule alone. */
export type AskedRequest = Pick<StartWork, 'definition' | 'attributes' | 'loginHint'>;

/** What was found of requests that wait for their person. */
export interface PendingReading {
  /** The database's time when it began to read; null when it found nothing. */
  readonly databaseNow: Date | null;
  readonly work: readonly PendingWork[];
  /** Pending requests whose secrets do not open with the master keys of this process. */
  readonly unreadable: ReadonlyArray<{ readonly requestId: string; readonly shard: number; readonly expiresAt: Date }>;
}

export interface NewAttempt {
  readonly requestId: string;
  readonly attemptId: string;
  readonly instanceId: string;
  /** How long the start call may take; after that, and a grace of two seconds, the attempt counts as lapsed. */
  readonly callTimeoutMs: number;
  /** The client notification token of a ping or push rule; only its SHA-256 is stored. */
  readonly notificationToken?: string | null;
  /** The event that caused it, recorded in the inbox by the same commit; null when a sweep caused it. */
  readonly cause: EventCause | null;
}

/** An event and who handles it: the key of the inbox. */
export interface EventCause {
  readonly consumer: string;
  readonly eventId: string;
}

export type OpenAttemptResult =
  | {
      readonly kind: 'opened';
      /** 1 for the first attempt of the request. */
      readonly number: number;
      /** The database's time, taken before the call: the deadline counts from it. */
      readonly sentAt: Date;
      readonly firstSentAt: Date;
      /** Earlier attempts of the request whose answer is unknown. */
      readonly unknownAttempts: number;
      /** The text to send, as it stands now: it may have been made plainer since the request was read. */
      readonly bindingMessage: string | null;
    }
  | { readonly kind: 'not-requested' }
  /** Another attempt is open and within its time. */
  | { readonly kind: 'in-progress' }
  | {
      /** A process died in its call: its answer is unknown. The attempt stays open until it is closed or decided. */
      readonly kind: 'lapsed';
      readonly attemptId: string;
      /** Attempts of the request whose answer is unknown, this one included. */
      readonly unknownAttempts: number;
    }
  /** The event was handled before. */
  | { readonly kind: 'duplicate' };

/** The start call that a client notification token belongs to, and how its request stands. */
export interface NotifiedAttempt {
  readonly requestId: string;
  readonly attemptId: string;
  /** The database's time, taken before the call. */
  readonly sentAt: Date;
  /** The database's time when this was read. */
  readonly databaseNow: Date;
  readonly rule: { readonly id: string; readonly version: number };
  readonly status: Status;
  /** SHA-256 of the `auth_req_id`, kept beyond the end of the request; null while no answer has told it. */
  readonly authReqIdSha256: Buffer | null;
  readonly deliveryMode: DeliveryMode;
  readonly requestedExpirySeconds: number | null;
}

/** A request that waits for its person, as the poller needs it. */
export interface PendingWork {
  readonly requestId: string;
  readonly shard: number;
  readonly rule: { readonly id: string; readonly version: number };
  readonly tokenProviderId: string;
  readonly clientId: string;
  readonly requestedScope: string;
  readonly acrValues: readonly string[];
  readonly releaseAccessToken: boolean;
  readonly consumeWithinSeconds: number;
  /** What proves an approval differs from request to request: `asked` tells it. */
  readonly provesPerRequest: boolean;
  readonly authReqId: string;
  readonly sentAt: Date;
  readonly expiresAt: Date;
  readonly intervalSeconds: number;
  readonly deliveryMode: DeliveryMode;
  /** When the provider first told that an answer is there. */
  readonly pingedAt: Date | null;
  /** An answer that waits for its verification. */
  readonly heldAnswer: { readonly answer: object; readonly receivedAt: Date } | null;
}

/** Authorization requests: the only way to read and change them. */
export interface RequestStore {
  /** Stores request, timeline and event in one commit; concurrent calls share one statement. Throws `DatabaseBusy`. */
  submit(request: NewRequest): Promise<SubmitResult>;
  /** What a client submitted earlier under an idempotency key; null: nothing. */
  submitted(apiClientId: string, idempotencyKey: string, bodyHash: Buffer): Promise<Repetition | null>;
  /** Applies a transition whole or not at all, under the row's lock; concurrent calls share one statement. */
  apply(transition: Transition): Promise<ApplyResult>;
  /**
   * Puts a command to the domain and applies what it answers; decides again, with the database's time, while the row
   * moved or a guard failed. Late evidence of a refusal is recorded before this resolves.
   */
  change(requestId: string, command: Command): Promise<ChangeResult>;
  /** Keeps evidence that came too late to count; the first one stays. */
  recordLateEvidence(requestId: string, evidence: Evidence): Promise<void>;
  /** What the domain needs to decide; null when there is no such request. */
  snapshot(id: string): Promise<(Snapshot & { readonly stateVersion: number }) | null>;
  /** `apiClientId` null: whoever's it is. */
  view(id: string, apiClientId: string | null): Promise<RequestView | null>;
  /** One query for many; ids that do not exist are left out. */
  views(ids: readonly string[]): Promise<RequestView[]>;
  states(ids: readonly string[]): Promise<RequestState[]>;
  /** Newest first. */
  list(filter: RequestFilter): Promise<Page<RequestView>>;
  timeline(id: string, apiClientId: string | null): Promise<TimelineRow[] | null>;
  attributes(id: string, apiClientId: string | null): Promise<Attributes | null>;
  /** Null unless the approval was consumed. */
  consumed(id: string, apiClientId: string | null): Promise<ConsumedApproval | null>;

  startWork(id: string): Promise<StartWork | SealedStart | null>;
  /** Requests that nobody asks the provider about, and that have not moved for `olderThanSeconds`. */
  unstarted(options: UnstartedOptions): Promise<string[]>;
  /**
   * Writes ahead that the provider is about to be called; at most one attempt of a request is open. May be repeated with
   * the same attempt by whoever did not learn what came of it, and has therefore called nobody.
   */
  openAttempt(attempt: NewAttempt): Promise<OpenAttemptResult>;
  /**
   * Closes an attempt without changing the request: nobody was prompted, or unknown and the rule asks again. For
   * `nextInMs` (0 unless given) `unstarted` leaves the request to whoever waits to make the next attempt.
   */
  closeAttempt(attemptId: string, outcome: 'not-accepted' | 'unknown', nextInMs?: number): Promise<void>;

  /**
   * Whether an attempt made its request pending under another `auth_req_id` than this one: the provider has then named
   * two, one in a notification and one in its answer.
   */
  acknowledgedOtherwise(attemptId: string, authReqId: string): Promise<boolean>;

  pending(
    which:
      | { readonly ids: readonly string[] }
      | { readonly shards: readonly number[]; readonly exceptIds?: readonly string[] },
  ): Promise<PendingReading>;
  /** Those of these requests for which an answer is stored: it was pushed, or waits for the provider's keys. */
  pushed(ids: readonly string[]): Promise<string[]>;
  /** What was asked of the person, attributes and hint unsealed; null when there is no such request. */
  asked(id: string): Promise<AskedRequest | null>;
  /** Keeps an answer, sealed, until it can be verified; the first one stays; it goes with the terminal transition. */
  holdAnswer(requestId: string, answer: object): Promise<void>;

  /** A client notification token for a start call; a new one for every attempt. */
  issueNotificationToken(): string;
  /** Whether this installation issued the token; asks nobody, so that strangers cannot make it ask. */
  issuedNotificationToken(notificationToken: string): boolean;

  /**
   * Keeps an interval that the provider raised (CIBA Core 1.0 §11), while the fence holds and the request is pending;
   * intervals never shrink. What is lost costs one more `slow_down` after a take-over.
   */
  raiseInterval(requestId: string, intervalSeconds: number, fence: Fence): Promise<void>;

  /** The start call that was made with this client notification token; null when there is none, at the same cost. */
  notified(notificationToken: string): Promise<NotifiedAttempt | null>;
  /**
   * Notes that the provider told of an answer, keeps the answer, sealed, if it was pushed, and stores the event
   * `authorization.pinged`, in one commit. False: the request is not pending, or the provider told of it before.
   */
  noteNotification(requestId: string, pushed: object | null): Promise<boolean>;

  /** Ended requests without a decision that have not moved for `olderThanSeconds`. */
  undecided(options: { readonly olderThanSeconds: number; readonly limit: number }): Promise<string[]>;
}
