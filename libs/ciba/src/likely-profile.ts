import type { MetadataDocument } from './provider-metadata.js';
import { providerProfiles } from './provider-profiles.js';
import type { ProviderProfileName } from './registration.js';

/** Where the providers of a maker run, or what their addresses look like. */
const signs: readonly (readonly [ProviderProfileName, (issuer: URL) => boolean])[] = [
  ['okta', ({ hostname }) => /\.(okta|oktapreview|okta-emea)\.com$/.test(hostname)],
  ['auth0', ({ hostname }) => hostname.endsWith('.auth0.com')],
  ['pingone', ({ hostname }) => /(^|\.)pingone\.(com|eu|ca|asia|sg|com\.au)$/.test(hostname)],
  ['wso2', ({ hostname, pathname }) => hostname.endsWith('.asgardeo.io') || pathname.endsWith('/oauth2/token')],
  ['keycloak', ({ pathname }) => /\/realms\/[^/]+\/?$/.test(pathname)],
  ['curity', ({ pathname }) => pathname.endsWith('/oauth/v2/oauth-anonymous')],
];

/**
 * The profile of the provider that an issuer looks like; null when it looks like none. A guess, good for advice only:
 * what is registered is what counts.
 */
export function likelyProfile(issuer: string, metadata: MetadataDocument | null): ProviderProfileName | null {
  if (!URL.canParse(issuer)) return null;
  const address = new URL(issuer);
  const sign = signs.find(([, matches]) => matches(address));
  if (sign !== undefined) return sign[0];
  // The one address of PingFederate that nobody configures.
  if (String(metadata?.['backchannel_authentication_endpoint']).endsWith('/as/bc-auth.ciba')) return 'pingfederate';
  const last = address.pathname.split('/').findLast((segment) => segment !== '');
  const named = Object.keys(providerProfiles).find((name) => name === last && name !== 'generic');
  return (named as ProviderProfileName | undefined) ?? null;
}
