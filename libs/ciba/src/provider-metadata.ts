import { ProviderMisconfigured } from './provider-faults.js';
import { isRecord } from './strict-json.js';

/** What a provider says about itself, published or written by hand: a JSON object, and nobody has checked it. */
export type MetadataDocument = Readonly<Record<string, unknown>>;

/** Where a provider is, and what it says about itself, in the standard names (CIBA Core 1.0 §4, RFC 8414 §2). */
export interface ProviderDiscovery {
  readonly issuer: string;
  readonly metadata: MetadataDocument;
}

/** The addresses that a client calls. */
export interface ClientEndpoints {
  readonly backchannel: string;
  readonly token: string;
  /** Null when the provider offers none that can be used; nothing depends on it. */
  readonly revocation: string | null;
}

/** A provider's metadata, checked: a client of ours can work with it. */
export interface ProviderMetadata extends ProviderDiscovery {
  readonly endpoints: ClientEndpoints;
  /** Where clients with a certificate go (RFC 8705 §5). */
  readonly mutualTlsEndpoints: ClientEndpoints;
  readonly keysUrl: string;
  /** Null when the provider does not say. */
  readonly authenticationMethods: readonly string[] | null;
  /** For client assertions; null when the provider does not say. */
  readonly assertionAlgorithms: readonly string[] | null;
  /** For signed requests; null when the provider does not say. */
  readonly requestAlgorithms: readonly string[] | null;
  /** For ID tokens; null when the provider does not say. */
  readonly signingAlgorithms: readonly string[] | null;
  /** Null when the provider does not say. */
  readonly deliveryModes: readonly string[] | null;
}

const cibaGrant = 'urn:openid:params:grant-type:ciba';

/**
 * Checks metadata before anybody is asked anything.
 *
 * Without keys no approval could ever be verified, so a missing `jwks_uri` counts as well.
 * @throws ProviderMisconfigured naming the member that is missing or wrong.
 */
export function readProviderMetadata(
  metadata: MetadataDocument,
  issuer: string,
  allowInsecureHttp: boolean,
): ProviderMetadata {
  if ((metadata['issuer'] ?? issuer) !== issuer) {
    throw new ProviderMisconfigured('the metadata names another issuer than the one that is configured');
  }
  const grants = readList(metadata, 'grant_types_supported');
  if (grants !== null && !grants.includes(cibaGrant)) {
    throw new ProviderMisconfigured('grant_types_supported does not contain CIBA');
  }
  const address = (name: string, from = metadata) => readAddress(from, name, allowInsecureHttp);
  const endpoints = {
    backchannel: address('backchannel_authentication_endpoint'),
    token: address('token_endpoint'),
    revocation: readOptionalAddress(metadata, 'revocation_endpoint', allowInsecureHttp),
  };
  const aliases = isRecord(metadata['mtls_endpoint_aliases']) ? metadata['mtls_endpoint_aliases'] : {};
  const alias = (name: string, otherwise: string) =>
    Object.hasOwn(aliases, name) ? address(name, aliases) : otherwise;
  return {
    issuer,
    metadata,
    endpoints,
    mutualTlsEndpoints: {
      backchannel: alias('backchannel_authentication_endpoint', endpoints.backchannel),
      token: alias('token_endpoint', endpoints.token),
      revocation: Object.hasOwn(aliases, 'revocation_endpoint')
        ? readOptionalAddress(aliases, 'revocation_endpoint', allowInsecureHttp)
        : endpoints.revocation,
    },
    keysUrl: address('jwks_uri'),
    authenticationMethods: readList(metadata, 'token_endpoint_auth_methods_supported'),
    assertionAlgorithms: readList(metadata, 'token_endpoint_auth_signing_alg_values_supported'),
    requestAlgorithms: readList(metadata, 'backchannel_authentication_request_signing_alg_values_supported'),
    signingAlgorithms: readList(metadata, 'id_token_signing_alg_values_supported'),
    deliveryModes: readList(metadata, 'backchannel_token_delivery_modes_supported'),
  };
}

/**
 * Reads an address that we would send credentials to.
 *
 * @throws ProviderMisconfigured unless it is an https URL (or http where that is allowed) without credentials.
 */
export function readUrl(value: unknown, name: string, allowInsecureHttp: boolean): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (url === null) throw new ProviderMisconfigured(`${name} is missing or not a URL`);
  if (url.protocol !== 'https:' && !(allowInsecureHttp && url.protocol === 'http:')) {
    throw new ProviderMisconfigured(`${name} is not an https URL`);
  }
  if (url.username !== '' || url.password !== '') throw new ProviderMisconfigured(`${name} contains credentials`);
  return url;
}

function readAddress(from: MetadataDocument, name: string, allowInsecureHttp: boolean): string {
  return readUrl(from[name], name, allowInsecureHttp).href;
}

/** An address that a client can do without: null when it is missing or may not be called. */
function readOptionalAddress(from: MetadataDocument, name: string, allowInsecureHttp: boolean): string | null {
  try {
    return readAddress(from, name, allowInsecureHttp);
  } catch (error) {
    if (error instanceof ProviderMisconfigured) return null;
    throw error;
  }
}

function readList(metadata: MetadataDocument, name: string): readonly string[] | null {
  const value = metadata[name];
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string');
  throw new ProviderMisconfigured(`${name} is not a list`);
}
