import { createSecureContext } from 'node:tls';
import type { TlsMaterial } from './connections.js';
import { ProviderMisconfigured } from './provider-faults.js';
import type { MutualTlsCredentials, ProviderSettings } from './registration.js';

/** Whom we trust to be the provider. */
export function providerTls(provider: ProviderSettings): TlsMaterial {
  return provider.trustedCertificates.length === 0 ? {} : { ca: [...provider.trustedCertificates] };
}

/**
 * Whom we trust, and who we are.
 *
 * @throws ProviderMisconfigured when certificate and key cannot be read or do not belong together.
 */
export function mutualTls(provider: ProviderSettings, credentials: MutualTlsCredentials): TlsMaterial {
  const tls = { ...providerTls(provider), cert: credentials.certificateChainPem, key: credentials.privateKeyPem };
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new ProviderMisconfigured('the client certificate and its private key cannot be used', { cause: error });
  }
  return tls;
}
