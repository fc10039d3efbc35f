import {
  clientAssertion,
  readSigningKey,
  secretSigningKey,
  type AssertionSigner,
  type SigningKey,
} from './client-assertion.js';
import { fapiAlgorithms } from './fapi.js';
import { encodeForm, encodeFormValue, type FormMembers } from './form.js';
import { ProviderMisconfigured } from './provider-faults.js';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderMetadata } from './provider-metadata.js';
import type {
  ClientRegistration,
  PrivateKeyJwtCredentials,
  SecretCredentials,
  SigningKeyMaterial,
} from './registration.js';

/** What every call of one client carries to prove who it is. */
export interface ClientAuthentication {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Constant form members, encoded. */
  readonly form: string;
  /** Further members, new for each call to `url`; null when there are none. */
  readonly fresh: ((url: string) => Promise<FormMembers>) | null;
}

type SecretMethod = NonNullable<SecretCredentials['method']>;

/**
 * Prepares a client's authentication (RFC 6749 §2.3, RFC 8705 §2, RFC 7523 §2.2).
 *
 * @throws ProviderMisconfigured when the credentials cannot work.
 */
export function prepareAuthentication(
  registration: ClientRegistration,
  metadata: ProviderMetadata,
  now: () => Date,
): ClientAuthentication {
  const { clientId, credentials } = registration;
  switch (credentials.type) {
    case 'secret':
      return secretAuthentication(registration, credentials, metadata, now);
    case 'mutual-tls':
      return { headers: [], form: encodeForm({ client_id: clientId }), fresh: null };
    case 'private-key-jwt':
      return withAssertions(
        signerOf(
          registration,
          metadata,
          readSigningKey(chooseKey(credentials, metadata, registration.fapi ?? false)),
          now,
        ),
      );
  }
}

/** @throws ProviderMisconfigured when the provider takes no algorithm that we can sign with */
function chooseKey(
  { signingKey, furtherKeys = [] }: PrivateKeyJwtCredentials,
  { assertionAlgorithms }: ProviderMetadata,
  fapi: boolean,
): SigningKeyMaterial {
  const key = [signingKey, ...furtherKeys].find(
    ({ alg }) => (assertionAlgorithms?.includes(alg) ?? true) && (!fapi || fapiAlgorithms.includes(alg)),
  );
  if (key !== undefined) return key;
  throw new ProviderMisconfigured('token_endpoint_auth_signing_alg_values_supported has no algorithm of ours');
}

function secretAuthentication(
  registration: ClientRegistration,
  { clientSecret, method }: SecretCredentials,
  metadata: ProviderMetadata,
  now: () => Date,
): ClientAuthentication {
  const { clientId } = registration;
  switch (method ?? chooseMethod(metadata)) {
    case 'client_secret_basic': {
      const pair = `${encodeFormValue(clientId)}:${encodeFormValue(clientSecret)}`;
      return { headers: ['authorization', `Basic ${Buffer.from(pair).toString('base64')}`], form: '', fresh: null };
    }
    case 'client_secret_post':
      return { headers: [], form: encodeForm({ client_id: clientId, client_secret: clientSecret }), fresh: null };
    case 'client_secret_jwt': {
      const { assertionAlgorithms } = metadata;
      if (assertionAlgorithms?.includes('HS256') === false) {
        throw new ProviderMisconfigured('token_endpoint_auth_signing_alg_values_supported does not contain HS256');
      }
      return withAssertions(signerOf(registration, metadata, secretSigningKey(clientSecret), now));
    }
  }
}

function withAssertions(signer: AssertionSigner): ClientAuthentication {
  return {
    headers: [],
    form: encodeForm({
      client_id: signer.clientId,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }),
    fresh: async (url) => ({ client_assertion: await clientAssertion(signer, url) }),
  };
}

function signerOf(
  { clientId, provider }: ClientRegistration,
  { issuer, endpoints }: ProviderMetadata,
  key: SigningKey,
  now: () => Date,
): AssertionSigner {
  const { assertion: rules } = providerProfiles[provider.profile];
  return { clientId, issuer, tokenEndpoint: endpoints.token, rules, key, now };
}

/** A provider that does not say takes basic (OpenID Connect Discovery 1.0 §3). */
function chooseMethod({ authenticationMethods }: ProviderMetadata): SecretMethod {
  if (authenticationMethods === null) return 'client_secret_basic';
  const methods: readonly SecretMethod[] = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'];
  const chosen = methods.find((method) => authenticationMethods.includes(method));
  if (chosen === undefined) throw new ProviderMisconfigured('the provider takes no client secret');
  return chosen;
}
