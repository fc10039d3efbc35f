import { CIBA_GRANT_TYPE } from '../clients.js';
import type { Audience, Persona } from './persona.js';

interface Endpoints {
  readonly backchannel: string;
  readonly token: string;
}

export interface PersonaAddresses {
  readonly issuer: string;
  readonly jwks: string;
  readonly endpoints: Endpoints;
  /** On the listener that asks for certificates. */
  readonly mtlsEndpoints: Endpoints;
}

/** Where a persona lives: `/as/<name>`, with a slash at the end of the issuer where the provider has one. */
export function personaAddresses(
  { name, issuerEndsWithSlash }: Pick<Persona, 'name' | 'issuerEndsWithSlash'>,
  url: string,
  mtlsUrl: string,
): PersonaAddresses {
  const endpoints = (base: string): Endpoints => ({
    backchannel: `${base}/as/${name}/backchannel`,
    token: `${base}/as/${name}/token`,
  });
  return {
    issuer: `${url}/as/${name}${issuerEndsWithSlash ? '/' : ''}`,
    jwks: `${url}/as/${name}/jwks`,
    endpoints: endpoints(url),
    mtlsEndpoints: endpoints(mtlsUrl),
  };
}

/** The addresses that these audiences stand for when this endpoint is called. */
export function audiencesOf(
  { issuer, endpoints, mtlsEndpoints }: PersonaAddresses,
  audiences: readonly Audience[],
  called: keyof Endpoints,
): string[] {
  return audiences.flatMap((audience) => {
    if (audience === 'issuer') return [issuer];
    const name = audience === 'called-endpoint' ? called : 'token';
    return [endpoints[name], mtlsEndpoints[name]];
  });
}

/** What a persona publishes about itself (CIBA Core 1.0 §4). */
export function personaMetadata(persona: Persona, addresses: PersonaAddresses): Record<string, unknown> {
  const { authenticationMethods, signedRequests, refusedParameters, deliveryModes } = persona;
  const takesCertificates = authenticationMethods.includes('tls_client_auth');
  return {
    issuer: addresses.issuer,
    jwks_uri: addresses.jwks,
    token_endpoint: addresses.endpoints.token,
    backchannel_authentication_endpoint: addresses.endpoints.backchannel,
    backchannel_token_delivery_modes_supported: deliveryModes,
    backchannel_user_code_parameter_supported: refusedParameters['user_code'] === undefined,
    backchannel_authentication_request_signing_alg_values_supported: signedRequests
      ? ['PS256', 'ES256', 'EdDSA']
      : undefined,
    grant_types_supported: [CIBA_GRANT_TYPE],
    response_types_supported: [],
    subject_types_supported: ['public'],
    scopes_supported: ['openid', 'email', 'profile', 'payments', 'accounts'],
    id_token_signing_alg_values_supported: ['ES256'],
    token_endpoint_auth_methods_supported: authenticationMethods,
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'PS256', 'RS256', 'EdDSA', 'HS256'],
    mtls_endpoint_aliases: takesCertificates
      ? {
          token_endpoint: addresses.mtlsEndpoints.token,
          backchannel_authentication_endpoint: addresses.mtlsEndpoints.backchannel,
        }
      : undefined,
  };
}
