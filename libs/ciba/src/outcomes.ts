import type { HintKind } from '#lib/domain';

/** What the provider is asked to ask the person (CIBA Core 1.0 §7.1). */
export interface StartRequest {
  /** Space separated; contains `openid`. */
  readonly scope: string;
  /** The hint, of whichever kind. */
  readonly loginHint: string;
  /** `login_hint` when left out. */
  readonly hintKind?: HintKind;
  /** Parameters beyond the protocol's own; the provider's profile has to list them. */
  readonly extraParameters?: Readonly<Record<string, string | object>>;
  readonly bindingMessage: string | null;
  readonly requestedExpirySeconds: number | null;
  /** In order of preference. */
  readonly acrValues: readonly string[];
  readonly authorizationDetails: readonly unknown[] | null;
  readonly userCode: string | null;
  /** Only for ping and push; null in poll mode. */
  readonly clientNotificationToken: string | null;
  /** How the answer comes back: by poll without a notification token, else by ping, when left out. */
  readonly deliveryMode?: 'poll' | 'ping' | 'push';
  /** Sent as `x-fapi-interaction-id`, by which the provider finds the call; null or absent: none is sent. */
  readonly interactionId?: string | null;
}

/** The provider's own words, made safe to store and show. */
export interface ProviderError {
  readonly code: string;
  readonly description: string | null;
}

/** How a start call ended. */
export type StartOutcome =
  /** The provider asks the person now. */
  | {
      readonly kind: 'acknowledged';
      /** Byte-exact as received. */
      readonly authReqId: string;
      readonly expiresInSeconds: number;
      /** 5 when the provider sent none that can be used (CIBA Core 1.0 §7.3). */
      readonly intervalSeconds: number;
    }
  /** A definite protocol error: nobody is asked. */
  | {
      readonly kind: 'refused';
      /** What the provider said. */
      readonly error: ProviderError;
      /** The code for what this provider is known to mean, when that is another one. */
      readonly means?: string;
    }
  /** The provider certainly did not take the call: nobody is asked, and it may be repeated. */
  | { readonly kind: 'not-accepted'; readonly retryAfterSeconds: number | null; readonly detail: string }
  /** The provider answered, and the answer is a failure of its own or makes no sense. */
  | { readonly kind: 'provider-error'; readonly detail: string }
  /** Nobody knows: the person may have been asked, so the call must not be repeated blindly. */
  | { readonly kind: 'unknown'; readonly detail: string }
  /** No call was made; somebody has to change the configuration first. */
  | { readonly kind: 'misconfigured'; readonly detail: string };

/** A successful token answer, as received: nothing in it is verified yet. */
export interface TokenAnswer {
  readonly accessToken: string | null;
  readonly tokenType: string | null;
  readonly expiresInSeconds: number | null;
  /** Null when the provider sent none, which means "as requested" (RFC 6749 §5.1). */
  readonly scope: string | null;
  readonly idToken: string | null;
  readonly refreshToken: string | null;
  readonly authorizationDetails: unknown;
}

/** How one poll ended. */
export type PollOutcome =
  | { readonly kind: 'pending'; readonly retryAfterSeconds: number | null }
  | {
      readonly kind: 'slow-down';
      readonly retryAfterSeconds: number | null;
      readonly intervalSeconds: number | null;
    }
  | { readonly kind: 'tokens'; readonly answer: TokenAnswer }
  | {
      readonly kind: 'denied';
      readonly description: string | null;
      /** This provider says the same when nobody answered in time: only the clock tells the two apart. */
      readonly orExpired?: true;
    }
  | { readonly kind: 'expired' }
  | { readonly kind: 'invalid-grant'; readonly description: string | null }
  /** Any other error code; terminal. */
  | { readonly kind: 'refused'; readonly error: ProviderError }
  /** Certainly not received by the provider. */
  | { readonly kind: 'not-sent'; readonly detail: string }
  /** Refused for now, with a time to wait. */
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number }
  /** Refused for now; the grant is untouched. */
  | { readonly kind: 'unavailable'; readonly detail: string }
  /** The answer may have carried tokens, which are gone with it. */
  | { readonly kind: 'lost'; readonly detail: string };

/** How the attempt to revoke tokens ended; a failed one changes nothing else. */
export type RevocationOutcome = 'revoked' | 'not-offered' | 'failed';

/** What an approval has to prove; the same each time that its answer is verified. */
export interface EvidenceExpectation {
  readonly clientId: string;
  readonly requestedScope: string;
  /** When the start call was sent. */
  readonly sentAt: Date;
  /** Empty when the rule asks for no particular authentication. */
  readonly acrValues: readonly string[];
  /** What has to be granted in detail, exactly (RFC 9396 §7); null or absent when the rule asks for no details. */
  readonly authorizationDetails?: readonly unknown[] | null;
  /** Null when nobody knows the subject beforehand. */
  readonly expectedSubject: string | null;
  readonly authReqId: string;
  /** The answer was pushed: then more of its claims are mandatory (CIBA Core 1.0 §10.3.1). */
  readonly pushed?: boolean;
  /** 60 when left out. */
  readonly clockSkewSeconds?: number;
}

/** What an approval proved. */
export interface Evidence {
  readonly issuer: string;
  readonly subject: string;
  readonly acr: string | null;
  readonly amr: readonly string[] | null;
  /** Seconds since the epoch. */
  readonly authTime: number | null;
  /** base64url. */
  readonly idTokenSha256: string;
}

/** Why a token answer does not prove an approval. */
export type EvidenceProblem =
  | 'id_token_missing'
  | 'id_token_malformed'
  | 'encryption'
  | 'access_token_missing'
  | 'algorithm'
  | 'header'
  | 'token_type'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'authorized_party'
  | 'subject'
  | 'subject_mismatch'
  | 'expiry'
  | 'expired'
  | 'not_yet_valid'
  | 'issued_at'
  | 'issued_before_request'
  | 'issued_in_future'
  | 'auth_time'
  | 'authenticated_before_request'
  | 'acr'
  | 'scope'
  | 'authorization_details'
  | 'at_hash'
  | 'rt_hash'
  | 'auth_req_id';

/** The result of the checks that need no key and no network. */
export type EvidenceVerdict =
  | { readonly kind: 'verified'; readonly evidence: Evidence; readonly grantedScope: string }
  | { readonly kind: 'rejected'; readonly problem: EvidenceProblem; readonly detail: string };

/** Whether a token answer proves the approval. */
export type Verification =
  | EvidenceVerdict
  /** No verdict yet: keep the answer and verify it again later. */
  | { readonly kind: 'keys-unavailable'; readonly detail: string };
