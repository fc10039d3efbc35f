import type {
  Decision,
  DeliveriesQuery,
  Delivery,
  DisabledReason,
  Notice,
  Page,
  TokenProviderBody,
} from '#lib/contracts';
import type {
  ClientSecretMethod,
  Evidence,
  Outcome,
  ProviderError,
  Reason,
  RejectionHandlerDefinition,
  RequestSigningAlgorithm,
  RuleDefinition,
} from '#lib/domain';
import type { Acting } from '../audit/acting.js';
import type { EventCause } from '../requests/request.types.js';

/** One client at one provider, with its credentials in the clear; structurally what libs/ciba takes. */
export interface StoredRegistration {
  readonly key: string;
  readonly provider: {
    readonly id: string;
    readonly issuer: string;
    readonly metadata: Readonly<Record<string, unknown>> | null;
    readonly trustedCertificates: readonly string[];
    readonly profile: TokenProviderBody['profile'];
  };
  readonly clientId: string;
  readonly credentials:
    | {
        readonly type: 'secret';
        readonly clientSecret: string;
        readonly method: ClientSecretMethod | null;
      }
    | {
        readonly type: 'mutual-tls';
        readonly certificateChainPem: string;
        readonly privateKeyPem: string;
        readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth' | null;
      }
    | {
        readonly type: 'private-key-jwt';
        readonly signingKey: SigningKey;
        /** For providers that do not take the first one's algorithm. */
        readonly furtherKeys: readonly SigningKey[];
      };
  /** Null: requests are not signed. */
  readonly requestSigning: {
    readonly keys: readonly SigningKey[];
    readonly alg: RequestSigningAlgorithm | null;
  } | null;
  /** Whether only what FAPI-CIBA allows will do. */
  readonly fapi: boolean;
  /** Whether tokens are bound to a key. */
  readonly dpop: boolean;
  /** What opens ID tokens that are encrypted to us. */
  readonly decryptionKeys: readonly DecryptionKey[];
  /** The calls that the provider refused this client, as of the last look; `ClientRefusalStore` knows more. */
  readonly refusedCalls: readonly RefusableCall[];
}

/** The calls to a provider that prove who the client is. */
export type RefusableCall = 'start' | 'poll';

/** One kind of call under one version of a rule. */
export interface CallSubject {
  readonly rule: { readonly id: string; readonly version: number };
  readonly call: RefusableCall;
}

/** For how long no call may be made, and what the provider said of the client. */
export interface ClientPause {
  readonly forMs: number;
  readonly error: string;
}

export interface NotedRefusal {
  readonly tokenProviderId: string;
  /** The error code, cleaned. */
  readonly error: string;
}

/** What an operator sees of a client that its provider refuses. */
export interface ClientRefusalAlert {
  readonly tokenProviderId: string;
  readonly rule: { readonly id: string; readonly name: string };
  readonly call: RefusableCall;
  readonly error: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly pausedUntil: Date;
}

/**
 * Which clients their provider refuses (`invalid_client`, `unauthorized_client`), and who may try again when.
 *
 * Pauses grow from 5 s to 10 min; at the end of each one call goes out, whichever process makes it. A call that is
 * accepted, a new version of the rule, and a change of its provider or key pair end the pause. Another process hears of
 * a refusal, and of its end, within five seconds. `suspected`: whether the registration lists the call as refused.
 */
export interface ClientRefusalStore {
  /** As this process knows it; asks nobody. */
  pause(subject: CallSubject): ClientPause | null;
  /** Whether a call may be made; null: it may. Costs no promise while nothing was ever refused. */
  admit(subject: CallSubject, suspected: boolean): null | Promise<ClientPause | null>;
  /** The provider has refused the client; answers the pause that follows. */
  note(subject: CallSubject, refusal: NotedRefusal): Promise<ClientPause>;
  /** The provider has taken the client. True when that ends a refusal; false, without a promise, while there was none. */
  accepted(subject: CallSubject, suspected: boolean): false | Promise<boolean>;
  /** Ends every pause of a version of a rule: somebody has looked, and found the client accepted. */
  lift(rule: CallSubject['rule']): Promise<void>;
  /** Of the rules as they are now, oldest first. */
  ofTokenProviders(ids: readonly string[]): Promise<ClientRefusalAlert[]>;
}

export interface RegistrationStore {
  /**
   * Everything that a call to the provider needs, up to five seconds old; concurrent calls share one query, and what is
   * known comes without a promise. Rejects with `MissingRow` when the rule version, its provider or its key pair is
   * gone, or the secret was never set.
   */
  load(rule: { readonly id: string; readonly version: number }): StoredRegistration | Promise<StoredRegistration>;
}

/** A person by name, and by the subject that a provider knows them as; null: by name alone. */
export interface PersonSelector {
  /** The login hint, or what names the person in it; its spelling does not matter. */
  readonly name: string;
  readonly subject: string | null;
}

/** The erasure of people. */
export interface ErasureStore {
  /** Requests of the person that have not ended, and those that have and wait for their decision. */
  unfinished(person: PersonSelector): Promise<{ readonly open: string[]; readonly undecided: string[] }>;
  /**
   * Takes away whatever names the person in the requests that have their decision; answers how many they were. Goes in
   * portions until nothing is left, or `signal` aborts; doing it again does the rest.
   */
  erase(person: PersonSelector, signal?: AbortSignal): Promise<number>;
  /** Keeps on record that somebody was erased; not who. */
  record(
    erasure: { readonly by: string; readonly erased: number; readonly cancelled: number },
    acting?: Acting,
  ): Promise<{ readonly id: string; readonly at: Date }>;
}

/** A shard that an instance owns; `epoch` fences whatever only the owner may make final. */
export interface OwnedShard {
  readonly shard: number;
  readonly epoch: number;
  /** When the shard was last taken from an owner that had not released it. */
  readonly uncleanTakeoverAt: Date | null;
}

/** Who polls which requests. All times are the database's. */
export interface ShardStore {
  /** Renews, in one statement, every shard of this owner and its own presence. */
  renew(
    owner: string,
    leaseMs: number,
  ): Promise<{
    databaseNow: Date;
    leaseUntil: Date;
    owned: OwnedShard[];
    /** Instances that renewed within their lease, this one included. */
    liveInstances: number;
    /** Shards that nobody owns, or whose lease has lapsed. */
    unowned: number;
  }>;
  /** Takes up to `limit` free or lapsed shards; rows that another instance is taking are skipped. */
  takeLapsed(owner: string, limit: number, leaseMs: number): Promise<{ databaseNow: Date; taken: OwnedShard[] }>;
  /** Gives shards back; `clean` false says that an answer may have been lost. */
  release(owner: string, shards: readonly number[], clean: boolean): Promise<void>;
  /** Withdraws the instance's presence, so that the others count without it. */
  leave(owner: string): Promise<void>;
}

/** What the decision about a request is made of. */
export interface DecisionContext {
  readonly requestId: string;
  /** Null: the request has not ended yet. */
  readonly outcome: Outcome | null;
  readonly decided: boolean;
  readonly reason: Reason | null;
  readonly providerError: ProviderError | null;
  readonly evidence: Evidence | null;
  /** When the request ended; the time of reading while it has not. */
  readonly endedAt: Date;
  readonly rule: { readonly id: string; readonly name: string; readonly version: number };
  readonly definition: RuleDefinition;
  readonly bindingMessage: string | null;
  readonly requestHash: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly callbackUrl: string | null;
  readonly expiresAt: Date | null;
  /** By id: the rule's rejection handlers that still exist, and the predefined ones. */
  readonly handlers: ReadonlyMap<
    string,
    { readonly id: string; readonly name: string; readonly definition: RejectionHandlerDefinition }
  >;
}

export interface DecisionStore {
  context(requestId: string): Promise<DecisionContext | null>;
  /**
   * Stores in one commit: the decision, its deliveries (the callback, each enabled endpoint that subscribes), the
   * timeline entry, the event `decision.<outcome>`, the inbox row. Throws when the request has not ended so.
   */
  record(input: {
    readonly decision: Decision;
    readonly cause: EventCause | null;
  }): Promise<'recorded' | 'already-recorded'>;
  /** The same, with the callback leased in that commit to whoever has a place for it: it is sent without another claim. */
  recordAndLease(input: DecisionToRecord): Promise<DecisionRecorded>;
}

/** A decision, and what becomes of its callback at once. */
export interface DecisionToRecord {
  readonly decision: Decision;
  readonly cause: EventCause | null;
  /** How long the callback is the caller's alone; null when it has no place for it now. */
  readonly callbackLeaseSeconds: number | null;
}

/** What came of recording a decision. */
export interface DecisionRecorded {
  readonly kind: 'recorded' | 'already-recorded';
  /** The callback, leased; null when none was asked for, or there is none, or its secret does not open. */
  readonly callback: DeliveryWork | null;
  /** Whether deliveries were written that somebody has to claim. */
  readonly unclaimed: boolean;
}

/** One delivery to make now. */
export interface DeliveryWork {
  readonly id: string;
  /** The id of the decision or notice: the same in every delivery and every attempt. */
  readonly webhookId: string;
  /** Null for a notice. */
  readonly requestId: string | null;
  readonly url: string;
  /** The exact bytes to send. */
  readonly body: string;
  /** Whose turn it is: an endpoint's id, or a callback's host. */
  readonly target: string;
  readonly kind: 'callback' | 'webhook';
  /** `whsec_…` to sign `v1` with; none for a callback whose API client has no secret, two while a rotation overlaps. */
  readonly secrets: readonly string[];
  readonly failedAttempts: number;
}

export interface DeliveryResult {
  readonly id: string;
  readonly at: Date;
  readonly durationMs: number;
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  readonly problem: string | null;
  readonly outcome: 'delivered' | { readonly retryInSeconds: number } | 'exhausted' | 'gone';
  /** True: the receiver was not asked, so that it is not to blame. */
  readonly ours?: boolean;
}

/** An endpoint that was disabled by what its deliveries met. */
export interface DisabledEndpoint {
  readonly id: string;
  readonly reason: DisabledReason;
}

/** Which deliveries of an endpoint are made again. */
export interface ReplayRange {
  readonly since: Date;
  readonly until: Date | null;
  readonly state: 'exhausted' | 'delivered' | 'any';
  readonly cursor: string | undefined;
  readonly limit: number;
}

export interface DeliveryStore {
  /** Leases due deliveries, oldest first, in fair shares per target; a lease that ends unfinished is due again. */
  claim(options: {
    readonly limit: number;
    readonly leaseSeconds: number;
    /** At most so many of one target; as many as there are unless given. */
    readonly perTarget?: number;
    /** Targets that have enough in flight already: none of theirs is leased. */
    readonly exceptTargets?: readonly string[];
  }): Promise<DeliveryWork[]>;
  /**
   * Logs attempts and settles their deliveries, in one statement. An endpoint that answered 410, or to which nothing has
   * arrived for `disableAfterSeconds` (five days unless given), is disabled, and the others that want to know are told.
   */
  finish(results: readonly DeliveryResult[], disableAfterSeconds?: number): Promise<readonly DisabledEndpoint[]>;
  /** When the next delivery is due, by the database's clock; null when none waits. */
  nextDueAt(): Promise<Date | null>;
  ofRequest(requestId: string): Promise<Delivery[]>;
  /** Newest first. */
  ofEndpoint(endpointId: string, query: DeliveriesQuery): Promise<Page<Delivery>>;
  /** One delivery to this endpoint. */
  find(endpointId: string, id: string): Promise<Delivery | null>;
  /** Makes a delivery again, now and with the whole schedule; false when this endpoint has no such delivery. */
  replay(endpointId: string, id: string): Promise<boolean>;
  /** Makes a portion of deliveries again, oldest first. Throws `InvalidCursor`. */
  replayRange(
    endpointId: string,
    range: ReplayRange,
  ): Promise<{ readonly replayed: number; readonly nextCursor: string | null }>;
}

export type TestResult =
  | { readonly kind: 'sent'; readonly deliveryId: string }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'disabled' };

/** What webhook endpoints are told beside decisions. */
export interface NoticeStore {
  /** Tells every enabled endpoint that chose this type. */
  tell(notice: Notice): Promise<void>;
  /** Sends `test.ping` to one endpoint. */
  test(endpointId: string): Promise<TestResult>;
}

/** What a provider verifies with our published keys; these keys change in time. */
export type RotatedKeyUse = 'client-assertion' | 'request-object';
export type SigningKeyUse = RotatedKeyUse | 'receipt' | 'callback' | 'audit';
export interface SigningKey {
  readonly kid: string;
  readonly alg: 'ES256' | 'PS256' | 'EdDSA';
  readonly privateKeyPem: string;
}

/** When a key began and ceased to sign; null: not yet. */
export interface SigningKeyLife {
  readonly kid: string;
  readonly use: SigningKeyUse;
  readonly alg: SigningKey['alg'];
  readonly createdAt: Date;
  readonly activatedAt: Date | null;
  readonly retiredAt: Date | null;
}

/** When keys change. */
export interface KeyRotation {
  /** How long a key is used. */
  readonly everySeconds: number;
  /** How long a key is published before it is used: longer than any provider may keep an old copy of our key set. */
  readonly publishedAheadSeconds: number;
  /** How long a key stays published after it was used last. */
  readonly retiredForSeconds: number;
}

/** The installation's own keys; made on first use, sealed at rest. */
export interface SigningKeyStore {
  /** Makes the keys that are missing; instances that start together agree on one. */
  ensure(): Promise<void>;
  /** Every public key, those of the future and of the past included (RFC 7517). */
  publicJwks(): Promise<{ keys: Record<string, unknown>[] }>;
  /** Every key that is published, by use; the current one first. */
  lives(): Promise<readonly SigningKeyLife[]>;
  /** ES256 for assertions and receipts, Ed25519 for callbacks and heads of the audit log. */
  current(use: SigningKeyUse): Promise<SigningKey>;
  /** One key for each algorithm, ES256 first. */
  choice(use: RotatedKeyUse): Promise<readonly SigningKey[]>;
  /** Makes the next keys, uses those whose time has come, and withdraws those that nobody uses. Answers how many changed. */
  rotate(rotation: KeyRotation): Promise<number>;
}

/** A private key that opens what a provider has encrypted to us. */
export interface DecryptionKey {
  readonly kid: string;
  /** `ECDH-ES` with key wrapping as well. */
  readonly alg: 'RSA-OAEP-256' | 'ECDH-ES';
  readonly privateKeyPem: string;
}

/** The keys to which providers encrypt; made at the first start, sealed at rest. */
export interface EncryptionKeyStore {
  /** Makes the keys that are missing; instances that start together agree on one for each algorithm. */
  ensure(): Promise<void>;
  /** The public keys, as members of a key set (RFC 7517); only those to which anybody should encrypt from now on. */
  publicJwks(): Promise<Record<string, unknown>[]>;
  /** Every key that still opens, the newest first; up to five seconds old. */
  decryption(): Promise<readonly DecryptionKey[]>;
  /** Replaces keys that are so old, and withdraws those that were replaced so long ago. Answers how many were replaced. */
  rotate(rotation: { readonly everySeconds: number; readonly retiredForSeconds: number }): Promise<number>;
}

/** A master key that has sealed something here. */
export interface MasterKeyUse {
  readonly id: string;
  /** `active`: it seals; `opens`: configured besides; `missing`: not configured in this process. */
  readonly state: 'active' | 'opens' | 'missing';
  readonly createdAt: Date;
  /** When a whole pass last found nothing to seal anew. */
  readonly resealedAt: Date | null;
  readonly sealedValues: number;
  /** Requests from before the next key that have not ended: their notification tokens may bear its mark. */
  readonly openRequests: number;
}
export type ForgetMasterKeyResult =
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'active' }
  | { readonly kind: 'in-use'; readonly sealedValues: number; readonly openRequests: number };
export interface MasterKeyStore {
  /** Newest first. Counts everything that is sealed: not for a hot path. */
  list(): Promise<MasterKeyUse[]>;
  /**
   * Seals with the active key what older ones have sealed; answers how many values. Does nothing while a newer key is
   * active elsewhere, or when a pass within the hour found nothing to do.
   */
  resealRest(signal?: AbortSignal): Promise<number>;
  /** Has processes start without a key that seals nothing any more. */
  forget(id: string, acting?: Acting): Promise<ForgetMasterKeyResult>;
}
