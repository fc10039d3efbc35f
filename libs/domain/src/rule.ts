/** The one-time-authorization rule: what an administrator defines, and what follows from it for one request. */

/** What the caller tells about the operation; one of them becomes the login hint. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export const deliveryModes = ['poll', 'ping', 'push'] as const;
export type DeliveryMode = (typeof deliveryModes)[number];

/** What is done when the answer to a start call never came. */
export const initiationUnknownPolicies = ['fail', 'ask-again'] as const;
export type InitiationUnknownPolicy = (typeof initiationUnknownPolicies)[number];

/** How a client secret is shown; the secret itself travels in the first two, and only signs in the third. */
export const clientSecretMethods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const;
export type ClientSecretMethod = (typeof clientSecretMethods)[number];

export const clientCredentialsTypes = ['secret', 'mutual-tls', 'private-key-jwt'] as const;
export type ClientCredentialsType = (typeof clientCredentialsTypes)[number];

/** The credentials of a rule without what is secret. */
export type RuleCredentials =
  | { readonly type: 'secret'; readonly method: ClientSecretMethod | null }
  | {
      readonly type: 'mutual-tls';
      readonly keyPairId: string;
      readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth' | null;
    }
  | { readonly type: 'private-key-jwt' };

/** One version of a rule; a request keeps the version that it started under. */
export interface RuleDefinition {
  readonly name: string;
  readonly type: 'one-time-authorization';
  readonly tokenProviderId: string;
  readonly clientId: string;
  readonly clientCredentials: RuleCredentials;
  readonly loginHintAttribute: string;
  /** As the administrator gave them; `openid` is added when the request is sent. */
  readonly scopes: readonly string[];
  readonly requestedExpirySeconds: number | null;
  readonly timeoutRejectionHandlerId: string | null;
  readonly denyRejectionHandlerId: string | null;
  readonly errorRejectionHandlerId: string | null;
  readonly bindingMessage: string | null;
  readonly deliveryMode: DeliveryMode;
  readonly acrValues: readonly string[];
  readonly releaseAccessToken: boolean;
  readonly consumeWithinSeconds: number;
  readonly onInitiationUnknown: InitiationUnknownPolicy;
  readonly enabled: boolean;
}

/** The `scope` parameter of the start call: `openid` first, then the rule's scopes, each once (CIBA Core 1.0 §7.1). */
export const requestedScope = (scopes: readonly string[]): string => [...new Set(['openid', ...scopes])].join(' ');

/** The login hint of a request, or null when the caller left the attribute out or empty. */
export function loginHint(loginHintAttribute: string, attributes: Attributes): string | null {
  if (!Object.hasOwn(attributes, loginHintAttribute)) return null;
  const hint = String(attributes[loginHintAttribute]).trim();
  return hint === '' ? null : hint;
}
