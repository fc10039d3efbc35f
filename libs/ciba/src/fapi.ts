import { ProviderMisconfigured } from './provider-faults.js';
import type { ClientRegistration } from './registration.js';

/** The only signature algorithms that FAPI-CIBA allows (FAPI 1.0 Advanced §8.6). */
export const fapiAlgorithms: readonly string[] = ['PS256', 'ES256'];

/**
 * Lets no registration pass for FAPI that is none (FAPI-CIBA 5.2.2).
 *
 * @throws ProviderMisconfigured
 */
export function requireFapi({ fapi, credentials, requestSigning }: ClientRegistration): void {
  if (!fapi) return;
  if (credentials.type === 'secret') throw new ProviderMisconfigured('FAPI takes no client secret');
  if (!requestSigning) throw new ProviderMisconfigured('FAPI takes signed requests only');
}
