import type { ProviderProfileName } from './registration.js';

/** What a provider takes as binding message. */
export interface BindingMessageRules {
  /** Matches one permitted character. */
  readonly character: RegExp;
  /** In characters. */
  readonly maximumLength: number;
  readonly required: boolean;
}

/** How a provider wants client assertions. */
export interface AssertionRules {
  /** Servers older than RFC 10070 may insist on the address that is called. */
  readonly audience: 'issuer' | 'called-endpoint';
  /** Header `typ`; null leaves it out. */
  readonly type: 'client-authentication+jwt' | null;
}

/** Where a provider differs from the specification, as plain values: no code asks for a provider by name. */
export interface ProviderProfile {
  readonly bindingMessage: BindingMessageRules;
  readonly assertion: AssertionRules;
}

const identifierLike = /[a-zA-Z0-9\-._+/!?#]/;
const issuerAudience: AssertionRules = { audience: 'issuer', type: 'client-authentication+jwt' };

const generic: ProviderProfile = {
  bindingMessage: { character: /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u, maximumLength: 100, required: false },
  assertion: issuerAudience,
};

/** What is known of each provider's deviations. */
export const providerProfiles: Readonly<Record<ProviderProfileName, ProviderProfile>> = {
  generic,
  pingfederate: generic,
  pingone: generic,
  keycloak: { ...generic, bindingMessage: { character: identifierLike, maximumLength: 50, required: false } },
  auth0: { ...generic, bindingMessage: { character: /[a-zA-Z0-9+\-_.,:#]/, maximumLength: 64, required: true } },
  okta: { ...generic, assertion: { audience: 'called-endpoint', type: null } },
  duende: generic,
  wso2: generic,
  curity: { ...generic, bindingMessage: { ...generic.bindingMessage, maximumLength: 10_000 } },
  camara: generic,
  'oidc-provider': { ...generic, bindingMessage: { character: identifierLike, maximumLength: 20, required: false } },
};
