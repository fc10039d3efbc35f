import { hintKinds, type HintKind } from '#lib/domain';
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
  /** Servers older than RFC 10070 may insist on the address that is called, or on that of the token endpoint. */
  readonly audience: 'issuer' | 'called-endpoint' | 'token-endpoint';
  /** Header `typ`; null leaves it out. */
  readonly type: 'client-authentication+jwt' | null;
}

/** An error of the start call that means something else than it says. */
export interface StartErrorMeaning {
  readonly code: string;
  /** Tells the errors apart that share the code. */
  readonly description: RegExp;
  /** The standard code for what is meant (CIBA Core 1.0 §13). */
  readonly means: string;
}

/** How a provider wants to be told who is meant. */
export interface HintRules {
  readonly kinds: readonly HintKind[];
  /** Makes the login hint of `{{value}}` and `{{issuer}}`; null: the value is the hint. */
  readonly template: string | null;
  /** Matches a value that has the provider's form already. */
  readonly finished: RegExp | null;
}

/** How a provider wants signed requests. */
export interface RequestObjectRules {
  /** The issuer says the specification; some ecosystems name the backchannel endpoint. */
  readonly audience: 'issuer' | 'backchannel-endpoint';
  /** Whether `client_id` is wanted inside and outside, equal; the specification wants neither. */
  readonly repeatsClientId: boolean;
}

/** Where a provider differs from the specification, as plain values: no code asks for a provider by name. */
export interface ProviderProfile {
  readonly bindingMessage: BindingMessageRules;
  readonly hint: HintRules;
  /** The further parameters of a start call that it knows; what is not listed is never sent. */
  readonly extraParameters: readonly string[];
  /** Whether `invalid_request` may mean the lifetime that was asked for: then the call is repeated without it, once. */
  readonly refusesExpiry: boolean;
  readonly assertion: AssertionRules;
  readonly requestObject: RequestObjectRules;
  readonly startErrors: readonly StartErrorMeaning[];
  /** The name under which the lifetime of a request is asked for (CIBA Core 1.0 §7.1: `requested_expiry`). */
  readonly expiryParameter: 'requested_expiry' | 'request_expiry';
  /** Whether a token call has to name the scope again. */
  readonly repeatsScope: boolean;
  /** Whether `access_denied` is also the answer when nobody answered in time. */
  readonly deniesWhenExpired: boolean;
  /** How answers are delivered where the metadata do not say; null: any way may be tried. */
  readonly deliveryModes: readonly ('poll' | 'ping' | 'push')[] | null;
  /** Whether a client can prove itself with a certificate. */
  readonly mutualTls: boolean;
}

const identifierLike = /[a-zA-Z0-9\-._+/!?#]/;
const issuerAudience: AssertionRules = { audience: 'issuer', type: 'client-authentication+jwt' };

const pollOnly = ['poll'] as const;

const wellKnownParameters = ['audience', 'resource', 'request_context'];

const generic: ProviderProfile = {
  bindingMessage: { character: /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u, maximumLength: 100, required: false },
  hint: { kinds: hintKinds, template: null, finished: null },
  extraParameters: [...wellKnownParameters, 'notification_channel'],
  refusesExpiry: false,
  assertion: issuerAudience,
  requestObject: { audience: 'issuer', repeatsClientId: false },
  startErrors: [],
  expiryParameter: 'requested_expiry',
  repeatsScope: false,
  deniesWhenExpired: false,
  deliveryModes: null,
  mutualTls: true,
};

/** What is known of each provider's deviations; docs/providers.md tells it in words. */
export const providerProfiles: Readonly<Record<ProviderProfileName, ProviderProfile>> = {
  generic,
  pingfederate: { ...generic, requestObject: { audience: 'issuer', repeatsClientId: true } },
  pingone: { ...generic, deliveryModes: pollOnly, mutualTls: false },
  keycloak: {
    ...generic,
    bindingMessage: { character: identifierLike, maximumLength: 50, required: false },
    startErrors: [{ code: 'invalid_request', description: /^invalid user$/i, means: 'unknown_user_id' }],
  },
  auth0: {
    ...generic,
    hint: {
      kinds: ['login_hint'],
      template: '{"format":"iss_sub","iss":"{{issuer}}","sub":"{{value}}"}',
      finished: /^\s*\{/,
    },
    extraParameters: wellKnownParameters,
    bindingMessage: { character: /[a-zA-Z0-9+\-_.,:#]/, maximumLength: 64, required: true },
    startErrors: [{ code: 'invalid_request', description: /\bpush notifications?\b/i, means: 'unknown_user_id' }],
    deniesWhenExpired: true,
    deliveryModes: pollOnly,
  },
  okta: {
    ...generic,
    hint: { ...generic.hint, kinds: ['login_hint', 'id_token_hint'] },
    assertion: { audience: 'called-endpoint', type: null },
    expiryParameter: 'request_expiry',
    repeatsScope: true,
    deliveryModes: pollOnly,
  },
  duende: { ...generic, refusesExpiry: true },
  wso2: { ...generic, assertion: { audience: 'token-endpoint', type: null } },
  curity: { ...generic, bindingMessage: { ...generic.bindingMessage, maximumLength: 10_000 } },
  camara: {
    ...generic,
    hint: { kinds: ['login_hint'], template: 'tel:{{value}}', finished: /^(tel|ipport|operatortoken):/ },
    extraParameters: [],
    requestObject: { audience: 'backchannel-endpoint', repeatsClientId: false },
    deliveryModes: pollOnly,
  },
  'oidc-provider': { ...generic, bindingMessage: { character: identifierLike, maximumLength: 20, required: false } },
};
