/** The files of a run's folder, line by line, as the run wrote them. Times are ms since the epoch, on one clock. */

/** `run.json`. */
export interface RunFacts {
  readonly mode?: 'full' | 'short';
  readonly seed: number | string;
  readonly requests: number;
  readonly faultsPlanned: number;
  readonly startedAtMs: number;
  /** Null when the run did not come to rest. */
  readonly quiescedAtMs: number | null;
  /** What was left when the run was over. */
  readonly unfinished?: unknown;
  /** When the subscriber's queue was there; a wipe of the broker takes it, and what is in it, away. */
  readonly amqpBound?: readonly { readonly fromMs: number; readonly untilMs: number | null }[];
  readonly settings: {
    /** The token provider's issuer. */
    readonly issuer: string;
    /** Assent's public address, the `iss` of receipts. */
    readonly publicUrl: string;
    readonly leaseMs?: number;
    readonly callTimeoutMs?: number;
  };
  /** Every key that Assent published during the run. */
  readonly jwks: readonly Readonly<Record<string, unknown>>[];
  readonly canaries: Readonly<Record<string, string | readonly string[]>>;
  readonly webhookEndpoints: readonly {
    readonly id: string;
    readonly url: string;
    readonly secrets: readonly string[];
    readonly events: readonly string[];
  }[];
  readonly rules: readonly RuleFacts[];
  readonly apiClients: readonly {
    readonly id: string;
    readonly name: string;
    /** Reads the requests of others. */
    readonly admin?: boolean;
    /** Its callbacks are signed with it as well. */
    readonly callbackSecret?: string | null;
  }[];
}

export interface RuleFacts {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly onInitiationUnknown: 'fail' | 'ask-again';
  readonly releaseAccessToken: boolean;
  readonly deliveryMode: 'poll' | 'ping' | 'push';
  readonly consumeWithinSeconds: number;
  readonly loginHintAttribute?: string;
}

export type Operation = 'submit' | 'get' | 'cancel' | 'consume' | 'replay';

/** A line of `clients.jsonl`: a call was sent, answered, or its answer lost. */
export interface ClientLine {
  readonly kind: 'sent' | 'answered' | 'lost';
  readonly callId: string;
  readonly atMs: number;
  readonly client: string;
  readonly op: Operation;
  readonly idempotencyKey?: string | null;
  readonly requestId?: string | null;
  readonly consumeKey?: string | null;
  readonly bodyHash?: string;
  readonly attributes?: Readonly<Record<string, unknown>> | null;
  readonly status?: number;
  readonly answer?: unknown;
  readonly problemCode?: string | null;
  readonly replayed?: boolean;
}

/** A line of `provider.jsonl`, written before the provider answers. */
export interface ProviderLine {
  readonly kind: 'start' | 'token' | 'person' | 'ping-sent' | 'push-sent' | 'revoked';
  readonly atMs: number;
  readonly authReqId?: string | null;
  readonly loginHint?: string | null;
  readonly clientId?: string | null;
  readonly bindingMessage?: string | null;
  readonly said?:
    | 'acknowledged'
    | 'refused'
    | 'pending'
    | 'slow_down'
    | 'tokens'
    | 'access_denied'
    | 'expired_token'
    | 'invalid_grant'
    | 'none';
  readonly error?: string | null;
  readonly intervalMs?: number | null;
  readonly expiresInSeconds?: number | null;
  readonly idTokenSha256?: string | null;
  readonly sub?: string | null;
  readonly retryAfterSeconds?: number | null;
  /** False when the provider itself cut the connection. */
  readonly delivered?: boolean | null;
  readonly person?: 'approve' | 'deny' | 'silent' | null;
}

/** A line of `webhooks.jsonl`: a request that reached the sink whole. */
export interface WebhookLine {
  readonly atMs: number;
  /** Null for a callback. */
  readonly endpointId: string | null;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly answered: number | null;
}

/** A line of `amqp.jsonl`. */
export interface AmqpLine {
  readonly atMs: number;
  readonly queue: string;
  readonly routingKey: string;
  readonly messageId: string;
  readonly redelivered: boolean;
  readonly body: string;
}

/** A line of `faults.jsonl`. */
export interface FaultLine {
  readonly faultId: string;
  readonly kind: string;
  readonly target: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly detail?: unknown;
}

/** A line of `recovery.jsonl`. */
export interface RecoveryLine {
  readonly faultId: string;
  readonly kind: string;
  readonly target: string;
  readonly healedAtMs: number;
  readonly flowedAgainAtMs: number | null;
}

export type Row = Readonly<Record<string, unknown>>;

/** Something in which no secret may stand. */
export interface Artefact {
  readonly name: string;
  /** The bytes, in pieces that overlap by `overlapBytes`. */
  pieces(overlapBytes: number): Iterable<Buffer>;
}

/** Everything that a run left. */
export interface RecordedRun {
  readonly run: RunFacts;
  readonly clients: readonly ClientLine[];
  readonly provider: readonly ProviderLine[];
  readonly webhooks: readonly WebhookLine[];
  readonly amqp: readonly AmqpLine[];
  readonly faults: readonly FaultLine[];
  readonly recovery: readonly RecoveryLine[];
  readonly sometimes: Readonly<Record<string, number>>;
  readonly database: Readonly<Record<string, readonly Row[]>>;
  readonly artefacts: readonly Artefact[];
}
