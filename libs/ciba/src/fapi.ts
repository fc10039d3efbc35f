import { ProviderMisconfigured } from './provider-faults.js';
import type { ProviderMetadata } from './provider-metadata.js';
import type { ClientRegistration } from './registration.js';

/** The only signature algorithms that FAPI-CIBA allows (FAPI 1.0 Advanced §8.6). */
export const fapiAlgorithms: readonly string[] = ['PS256', 'ES256'];

/**
 * Lets no registration pass for FAPI that is none (FAPI-CIBA 5.2.2). Whether requests are signed is the rule's to say
 * (the duty is disputed, FAPI issue 580), unless the provider demands it (RFC 9101 §10.5).
 *
 * @throws ProviderMisconfigured
 */
export function requireFapi(
  { fapi, credentials, requestSigning }: ClientRegistration,
  { metadata }: Pick<ProviderMetadata, 'metadata'>,
): void {
  if (!fapi) return;
  if (credentials.type === 'secret') throw new ProviderMisconfigured('FAPI takes no client secret');
  if (!requestSigning && metadata['require_signed_request_object'] === true) {
    throw new ProviderMisconfigured('the provider takes signed requests only');
  }
}
