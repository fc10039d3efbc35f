import type { HintReader } from './hints.js';
import type { Circumstance } from './circumstances.js';
import type { LifetimeRule } from './lifetimes.js';
import type { Peculiarity } from './peculiarity.js';
import type { PollingRules } from './polling.js';
import type { Refusal } from './reply.js';

export const hintKinds = ['login_hint', 'login_hint_token', 'id_token_hint'] as const;
export type HintKind = (typeof hintKinds)[number];

export type DeliveryMode = 'poll' | 'ping' | 'push';

/** How a provider looks at the JWTs of its clients. */
export type Audience = 'issuer' | 'token-endpoint' | 'called-endpoint';

/** A provider as this sandbox plays it: our own simulation, made from what is publicly known, and no evidence of it. */
export interface Persona {
  /** Last part of the issuer's path. */
  readonly name: string;
  readonly title: string;
  /** The profile that fits, for a client that has profiles. */
  readonly profile: string;
  readonly issuerEndsWithSlash?: true;
  readonly deliveryModes: readonly DeliveryMode[];
  readonly authenticationMethods: readonly string[];
  readonly assertionAudiences: readonly Audience[];
  /** Null: no signed requests. */
  readonly signedRequests: { readonly audiences: readonly Audience[]; readonly clientIdInside?: true } | null;
  readonly hints: Partial<Readonly<Record<HintKind, HintReader>>>;
  /** What the hints of one of the sandbox's people look like here. */
  readonly hintOf: (account: string, issuer: string) => string;
  readonly subjectOf: (account: string) => string;
  readonly unknownUser: Refusal;
  /** Answers what is wrong with the text; null when nothing is. */
  readonly bindingMessage: (text: string | null) => Refusal | null;
  /** Parameters that are refused when they come; with the delivery mode in which they are. */
  readonly refusedParameters: Readonly<Record<string, DeliveryMode | 'any'>>;
  readonly expiryParameter: 'requested_expiry' | 'request_expiry';
  readonly lifetime: LifetimeRule;
  readonly authReqId: () => string;
  /** More members of the acknowledgement. */
  readonly acknowledgement?: Readonly<Record<string, unknown>>;
  readonly polling: PollingRules;
  /** Scopes that are granted on top. */
  readonly addsScopes?: readonly string[];
  /** Claims that the specification asks for in push mode only. */
  readonly hashClaims?: true;
  /** Sent with every error. */
  readonly errorHeaders?: Readonly<Record<string, string>>;
  readonly promptsPerMinute?: number;
  readonly circumstances: readonly Circumstance[];
  readonly peculiarities: readonly Peculiarity[];
}
