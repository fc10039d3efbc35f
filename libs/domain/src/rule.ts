/** The one-time-authorization rule: what an administrator defines, and what follows from it for one request. */

import type { Attributes } from './attributes.js';
import type { RulePromptLimits } from './prompt-limits.js';
import { fillJson, fillTextOrJson, namedAttributes } from './template.js';

export const deliveryModes = ['poll', 'ping', 'push'] as const;
export type DeliveryMode = (typeof deliveryModes)[number];

/** What is done when the answer to a start call never came. */
export const initiationUnknownPolicies = ['fail', 'ask-again'] as const;
export type InitiationUnknownPolicy = (typeof initiationUnknownPolicies)[number];

/** How a client secret is shown; the secret itself travels in the first two, and only signs in the third. */
export const clientSecretMethods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const;
export type ClientSecretMethod = (typeof clientSecretMethods)[number];

/** What a start call can be signed with, the preferred one first (FAPI-CIBA takes no others). */
export const requestSigningAlgorithms = ['ES256', 'PS256'] as const;
export type RequestSigningAlgorithm = (typeof requestSigningAlgorithms)[number];

/** Whether start calls are signed; true leaves the algorithm to the provider's metadata. */
export type SignedRequest = boolean | { readonly alg: RequestSigningAlgorithm };

/** How the person is named to the provider; exactly one of them (CIBA Core 1.0 §7.1). */
export const hintKinds = ['login_hint', 'id_token_hint', 'login_hint_token'] as const;
export type HintKind = (typeof hintKinds)[number];

/** Whose approval counts: anybody's that the provider vouches for, the hint's subject, or that of an attribute. */
export const subjectPolicies = ['record', 'hint', 'bound'] as const;
export type SubjectPolicy = (typeof subjectPolicies)[number];

export type ClientCredentialsType = 'secret' | 'mutual-tls' | 'private-key-jwt';

/** The credentials of a rule without what is secret. */
export type RuleCredentials =
  | { readonly type: 'secret'; readonly method: ClientSecretMethod | null }
  | {
      readonly type: 'mutual-tls';
      readonly keyPairId: string;
      readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth' | null;
    }
  | { readonly type: 'private-key-jwt' };

/** One thing that is asked for in detail; what else it holds is up to its type (RFC 9396 §2). */
export interface AuthorizationDetail {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** One version of a rule; a request keeps the version that it started under. */
export interface RuleDefinition {
  readonly name: string;
  readonly type: 'one-time-authorization';
  readonly tokenProviderId: string;
  readonly clientId: string;
  readonly clientCredentials: RuleCredentials;
  readonly loginHintAttribute: string;
  readonly hintKind: HintKind;
  /** `{{value}}` is the attribute's value and `{{issuer}}` the provider's; null: the way of the provider's profile. */
  readonly hintTemplate: string | null;
  readonly subjectPolicy: SubjectPolicy;
  /** The attribute that names the expected subject; null unless the policy is `bound`. */
  readonly subjectAttribute: string | null;
  /** As the administrator gave them; `openid` is added when the request is sent. */
  readonly scopes: readonly string[];
  readonly requestedExpirySeconds: number | null;
  readonly timeoutRejectionHandlerId: string | null;
  readonly denyRejectionHandlerId: string | null;
  readonly errorRejectionHandlerId: string | null;
  readonly bindingMessage: string | null;
  readonly deliveryMode: DeliveryMode;
  readonly acrValues: readonly string[];
  /** What is asked in detail, as templates (RFC 9396); null: nothing beyond the scope. */
  readonly authorizationDetails: readonly AuthorizationDetail[] | null;
  readonly signedRequest: SignedRequest;
  /** Whether the rule is held to FAPI-CIBA. */
  readonly fapi: boolean;
  /** Whether tokens are bound to a key of ours (RFC 9449). */
  readonly dpop: boolean;
  /** Further parameters of the start call, as templates. */
  readonly extraParameters: Readonly<Record<string, string>>;
  readonly releaseAccessToken: boolean;
  readonly consumeWithinSeconds: number;
  readonly onInitiationUnknown: InitiationUnknownPolicy;
  /** How often a person may be asked, where the rule says it otherwise than the configuration. */
  readonly promptLimits: RulePromptLimits | null;
  /** Whether a request is joined to an identical one that waits, instead of asking the person twice. */
  readonly joinIdentical: boolean;
  readonly enabled: boolean;
}

/** What a rule has when the administrator does not say. */
export const ruleDefaults = {
  type: 'one-time-authorization',
  hintKind: 'login_hint',
  hintTemplate: null,
  subjectPolicy: 'record',
  subjectAttribute: null,
  scopes: [],
  requestedExpirySeconds: null,
  timeoutRejectionHandlerId: null,
  denyRejectionHandlerId: null,
  errorRejectionHandlerId: null,
  bindingMessage: null,
  deliveryMode: 'poll',
  acrValues: [],
  signedRequest: false,
  fapi: false,
  dpop: false,
  authorizationDetails: null,
  extraParameters: {},
  releaseAccessToken: false,
  consumeWithinSeconds: 300,
  onInitiationUnknown: 'fail',
  promptLimits: null,
  joinIdentical: false,
  enabled: true,
} as const satisfies Partial<RuleDefinition>;

/**
 * What a rule does about signatures and bound tokens when the administrator does not say: what FAPI-CIBA asks for where
 * the rule is held to it. A certificate binds tokens by itself; a key has to be proved (RFC 9449).
 */
export const fapiDefaults = ({
  fapi,
  clientCredentials,
}: {
  readonly fapi: boolean;
  readonly clientCredentials: { readonly type: ClientCredentialsType };
}): { readonly signedRequest: boolean; readonly dpop: boolean } => ({
  signedRequest: fapi,
  dpop: fapi && clientCredentials.type === 'private-key-jwt',
});

/** What one request asks for in detail. */
export const requestedDetails = (
  { authorizationDetails }: Pick<RuleDefinition, 'authorizationDetails'>,
  attributes: Attributes,
): readonly AuthorizationDetail[] | null =>
  authorizationDetails && (fillJson(authorizationDetails, attributes) as readonly AuthorizationDetail[]);

/** Whether what proves an approval differs from request to request of the rule. */
export const provesPerRequest = ({
  authorizationDetails,
  subjectPolicy,
}: Pick<RuleDefinition, 'authorizationDetails' | 'subjectPolicy'>): boolean =>
  authorizationDetails !== null || subjectPolicy !== 'record';

/** The further parameters of one request; those that come out empty are left out. */
export const extraParameters = (
  { extraParameters: templates }: Pick<RuleDefinition, 'extraParameters'>,
  attributes: Attributes,
): Readonly<Record<string, string | object>> =>
  Object.fromEntries(
    Object.entries(templates)
      .map(([name, template]) => [name, fillTextOrJson(template, attributes)] as const)
      .filter(([, value]) => value !== ''),
  );

/** The attributes without which a request of the rule would ask for something with a gap in it. */
export const neededAttributes = ({
  authorizationDetails,
  extraParameters: templates,
  subjectAttribute,
}: Pick<RuleDefinition, 'authorizationDetails' | 'extraParameters' | 'subjectAttribute'>): string[] => [
  ...new Set([
    ...namedAttributes(authorizationDetails),
    ...namedAttributes(templates),
    ...(subjectAttribute === null ? [] : [subjectAttribute]),
  ]),
];

/** The `scope` parameter of the start call: `openid` first, then the rule's scopes, each once (CIBA Core 1.0 §7.1). */
export const requestedScope = (scopes: readonly string[]): string => [...new Set(['openid', ...scopes])].join(' ');

/** The login hint of a request, or null when the caller left the attribute out or empty. */
export function loginHint(loginHintAttribute: string, attributes: Attributes): string | null {
  if (!Object.hasOwn(attributes, loginHintAttribute)) return null;
  const hint = String(attributes[loginHintAttribute]).trim();
  return hint === '' ? null : hint;
}
