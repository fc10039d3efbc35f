import { clientAssertion, readSigningKey } from './client-assertion.js';
import { encodeForm, encodeFormValue, type FormMembers } from './form.js';
import { ProviderMisconfigured } from './provider-faults.js';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderMetadata } from './provider-metadata.js';
import type { ClientRegistration, SecretCredentials } from './registration.js';

/** What every call of one client carries to prove who it is. */
export interface ClientAuthentication {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Constant form members, encoded. */
  readonly form: string;
  /** Further members, new for each call to `url`; null when there are none. */
  readonly fresh: ((url: string) => Promise<FormMembers>) | null;
}

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
      return secretAuthentication(clientId, credentials, metadata);
    case 'mutual-tls':
      return { headers: [], form: encodeForm({ client_id: clientId }), fresh: null };
    case 'private-key-jwt': {
      const { assertion } = providerProfiles[registration.provider.profile];
      const signer = { clientId, issuer: metadata.issuer, rules: assertion, key: readSigningKey(credentials), now };
      return {
        headers: [],
        form: encodeForm({
          client_id: clientId,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        }),
        fresh: async (url) => ({ client_assertion: await clientAssertion(signer, url) }),
      };
    }
  }
}

function secretAuthentication(
  clientId: string,
  credentials: SecretCredentials,
  metadata: ProviderMetadata,
): ClientAuthentication {
  const { clientSecret } = credentials;
  switch (credentials.method ?? chooseMethod(metadata)) {
    case 'client_secret_basic': {
      const pair = `${encodeFormValue(clientId)}:${encodeFormValue(clientSecret)}`;
      return { headers: ['authorization', `Basic ${Buffer.from(pair).toString('base64')}`], form: '', fresh: null };
    }
    case 'client_secret_post':
      return { headers: [], form: encodeForm({ client_id: clientId, client_secret: clientSecret }), fresh: null };
  }
}

/** A provider that does not say takes basic (OpenID Connect Discovery 1.0 §3). */
function chooseMethod({ authenticationMethods }: ProviderMetadata): 'client_secret_basic' | 'client_secret_post' {
  if (authenticationMethods === null || authenticationMethods.includes('client_secret_basic')) {
    return 'client_secret_basic';
  }
  if (authenticationMethods.includes('client_secret_post')) return 'client_secret_post';
  throw new ProviderMisconfigured('the provider takes no client secret');
}
