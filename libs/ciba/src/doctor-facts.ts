import type { DeliveryMode } from '#lib/domain';
import type { MetadataDocument } from './provider-metadata.js';
import type { ClientRegistration, ProviderProfileName } from './registration.js';

/** A rule as the doctor looks at it. */
export interface RuleToExamine {
  readonly id: string;
  readonly name: string;
  readonly asks: RuleWishes;
  /** Null when the secret or the key pair of the rule is gone. */
  readonly registration: ClientRegistration | null;
  /** The calls that are paused at present because the provider refused the client. */
  readonly refusals?: readonly RefusalFact[];
}

/** A call that the provider refused because of the client. */
export interface RefusalFact {
  readonly call: 'start' | 'poll';
  readonly error: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly pausedUntil: Date;
}

/** What a rule asks of its provider, beside knowing the client. */
export interface RuleWishes {
  readonly deliveryMode: DeliveryMode;
  readonly scopes: readonly string[];
  readonly acrValues: readonly string[];
  /** The types of the `authorization_details` (RFC 9396 §2). */
  readonly detailTypes: readonly string[];
  readonly requestedExpirySeconds: number | null;
}

/** Everything that was seen of a provider, and no opinion about it. */
export interface ProviderFacts {
  readonly issuer: string;
  readonly profile: ProviderProfileName;
  readonly discovery: DiscoveryFact;
  /** What keeps any client from working with the provider, in the words of `CibaClient.discover`; null when nothing does. */
  readonly problem: string | null;
  /** As published or written by hand; null when there is none to be had. */
  readonly metadata: MetadataDocument | null;
  /** Members whose addresses will not be called. */
  readonly unusableAddresses: readonly AddressFact[];
  readonly origins: readonly OriginFact[];
  readonly clock: ClockFact;
  readonly keys: KeysFact;
  readonly rules: readonly RuleFacts[];
  /** Whether there are more rules than were looked at. */
  readonly moreRules: boolean;
}

export interface AddressFact {
  readonly member: string;
  readonly problem: 'missing' | 'unusable';
}

export type DiscoveryFact =
  | { readonly kind: 'explicit' }
  | { readonly kind: 'read' }
  /** The issuer itself is no address. */
  | { readonly kind: 'unusable' }
  | DocumentFault;

/** Why a document was not read. */
export type DocumentFault =
  | { readonly kind: 'unreachable'; readonly url: string; readonly code: string }
  | { readonly kind: 'status'; readonly url: string; readonly status: number }
  | { readonly kind: 'unreadable'; readonly url: string };

/** A host and port that clients call. */
export type OriginFact =
  | {
      readonly kind: 'reached';
      readonly origin: string;
      /** When the server's certificate ends; null when the connection is not encrypted. */
      readonly notAfter: Date | null;
    }
  | { readonly kind: 'unreachable'; readonly origin: string; readonly code: string };

/** By how much the provider's clock is ahead of ours; null when it does not tell its time. */
export interface ClockFact {
  readonly aheadMs: number | null;
}

export type KeysFact =
  | { readonly kind: 'not-tried' }
  | DocumentFault
  | {
      readonly kind: 'read';
      /** Null: the document holds no list of keys. */
      readonly keys: number | null;
      /** The accepted algorithms that at least one key can verify. */
      readonly algorithms: readonly string[];
    };

export interface RuleFacts {
  readonly rule: Pick<RuleToExamine, 'id' | 'name'>;
  readonly asks: RuleWishes;
  readonly clientId: string;
  readonly credentials: CredentialsFact;
  /** Null when start calls are not signed; an algorithm of null leaves the choice to the provider's list. */
  readonly signing: { readonly algorithm: string | null } | null;
  readonly trial: TrialFact;
  readonly refusals?: readonly RefusalFact[];
}

export type CredentialsFact =
  | { readonly type: 'gone' }
  | { readonly type: 'secret'; readonly method: string | null }
  | {
      readonly type: 'mutual-tls';
      readonly method: string | null;
      /** Null when the certificate cannot be read. */
      readonly certificate: { readonly notBefore: Date; readonly notAfter: Date } | null;
    }
  | { readonly type: 'private-key-jwt' };

/** What came of a token call for a request that was never made. */
export type TrialFact =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** The `error` member, cleaned; null when there is none. */
      readonly error: string | null;
      readonly carriesTokens: boolean;
    }
  /** No answer: the code of the connection. */
  | { readonly kind: 'no-answer'; readonly code: string }
  /** Nothing was sent: the credentials cannot be used. */
  | { readonly kind: 'unready'; readonly detail: string }
  | { readonly kind: 'not-tried'; readonly why: 'metadata' | 'time' };
