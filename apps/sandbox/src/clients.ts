import type { ClientMetadata } from 'oidc-provider';
import type { JWK } from 'jose';

/** A client that proves itself with a secret. These secrets are public: they open nothing but a sandbox. */
export interface SecretClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** One registered client for every way in which Assent can authenticate, with the same ids in every sandbox. */
export const sandboxClients = {
  secretBasic: { clientId: 'assent-secret', clientSecret: 'sandbox-secret-that-everybody-may-know' },
  secretPost: { clientId: 'assent-secret-post', clientSecret: 'sandbox-post-secret-that-everybody-may-know' },
  secretJwt: { clientId: 'assent-secret-jwt', clientSecret: 'sandbox-jwt-secret-that-everybody-may-know' },
  ping: { clientId: 'assent-ping', clientSecret: 'sandbox-ping-secret-that-everybody-may-know' },
  tlsClientAuth: { clientId: 'assent-mtls' },
  selfSignedTls: { clientId: 'assent-mtls-self-signed' },
  privateKeyJwt: { clientId: 'assent-private-key-jwt' },
  signedRequest: { clientId: 'assent-signed', clientSecret: 'sandbox-signed-secret-that-everybody-may-know' },
  dpop: { clientId: 'assent-dpop', clientSecret: 'sandbox-dpop-secret-that-everybody-may-know' },
  fapi: { clientId: 'assent-fapi' },
  fapiMtls: { clientId: 'assent-fapi-mtls' },
} as const;

/** With which people log in to Assent's console; its secret is as public as the others. */
export const sandboxConsoleClient: SecretClient = {
  clientId: 'assent-console',
  clientSecret: 'sandbox-console-secret-that-everybody-may-know',
};

export type SandboxClients = typeof sandboxClients;

/** The name in the subject alternative names of the certificate that `assent-mtls` shows. */
export const MTLS_CLIENT_DNS_NAME = 'assent-mtls.sandbox.test';

/** The provider refuses plain-http notification endpoints; calls to this origin are sent to Assent instead. */
export const PING_ORIGIN = 'https://assent.sandbox.test';

/** Clients that are held to FAPI-CIBA. */
export const FAPI_CLIENT_IDS: readonly string[] = [sandboxClients.fapi.clientId, sandboxClients.fapiMtls.clientId];

export const CIBA_GRANT_TYPE = 'urn:openid:params:grant-type:ciba';

/** What differs from one sandbox to the next. */
export interface ClientMaterial {
  readonly assentUrl: string | null;
  readonly privateKeyJwtJwks: { readonly keys: readonly JWK[] } | null;
  /** The public key of the self-signed certificate, with the certificate as `x5c`. */
  readonly selfSignedJwk: JWK;
}

/**
 * The registrations. Clients that sign are there only when their keys can be found: in the given set, or at Assent's
 * published one.
 */
export function registerClients(material: ClientMaterial): ClientMetadata[] {
  const {
    secretBasic,
    secretPost,
    secretJwt,
    ping,
    tlsClientAuth,
    selfSignedTls,
    privateKeyJwt,
    signedRequest,
    dpop,
    fapi,
    fapiMtls,
  } = sandboxClients;
  return [
    aClient(secretBasic.clientId, 'Alder & Finch', {
      client_secret: secretBasic.clientSecret,
      token_endpoint_auth_method: 'client_secret_basic',
      authorization_details_types: ['payment_initiation', 'account_information'],
    }),
    aClient(secretPost.clientId, 'Alder & Finch Returns', {
      client_secret: secretPost.clientSecret,
      token_endpoint_auth_method: 'client_secret_post',
    }),
    aClient(secretJwt.clientId, 'Alder & Finch Wholesale', {
      client_secret: secretJwt.clientSecret,
      token_endpoint_auth_method: 'client_secret_jwt',
      token_endpoint_auth_signing_alg: 'HS256',
    }),
    aClient(dpop.clientId, 'Wren & Daughters', {
      client_secret: dpop.clientSecret,
      token_endpoint_auth_method: 'client_secret_basic',
      dpop_bound_access_tokens: true,
    }),
    aClient(ping.clientId, 'Alder & Finch Express', {
      client_secret: ping.clientSecret,
      token_endpoint_auth_method: 'client_secret_basic',
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: `${PING_ORIGIN}/v1/ciba/notifications`,
    }),
    aClient(tlsClientAuth.clientId, 'Harbour Bank', {
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: MTLS_CLIENT_DNS_NAME,
      tls_client_certificate_bound_access_tokens: true,
    }),
    aClient(selfSignedTls.clientId, 'Harbour Bank Branch', {
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      tls_client_certificate_bound_access_tokens: true,
      jwks: { keys: [material.selfSignedJwk] },
    }),
    ...consoleClient(material),
    ...keySource(material).flatMap((keys) => [
      aClient(privateKeyJwt.clientId, 'Northwind Agents', { token_endpoint_auth_method: 'private_key_jwt', ...keys }),
      aClient(signedRequest.clientId, 'Sealed & Sons', {
        client_secret: signedRequest.clientSecret,
        token_endpoint_auth_method: 'client_secret_basic',
        backchannel_authentication_request_signing_alg: 'ES256',
        ...keys,
      }),
      aClient(fapi.clientId, 'Meridian Bank', {
        token_endpoint_auth_method: 'private_key_jwt',
        backchannel_authentication_request_signing_alg: 'PS256',
        ...keys,
      }),
      aClient(fapiMtls.clientId, 'Meridian Bank Treasury', {
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_san_dns: MTLS_CLIENT_DNS_NAME,
        tls_client_certificate_bound_access_tokens: true,
        backchannel_authentication_request_signing_alg: 'ES256',
        ...keys,
      }),
    ]),
  ];
}

/** People log in with it: the only client that knows the authorization code flow, and no other. */
function consoleClient({ assentUrl }: ClientMaterial): ClientMetadata[] {
  if (assentUrl === null) return [];
  const { clientId, clientSecret } = sandboxConsoleClient;
  return [
    {
      client_id: clientId,
      client_secret: clientSecret,
      client_name: 'Assent Console',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [new URL('/console/api/callback', assentUrl).href],
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ];
}

function keySource({ privateKeyJwtJwks, assentUrl }: ClientMaterial): Partial<ClientMetadata>[] {
  if (privateKeyJwtJwks) return [{ jwks: { keys: [...privateKeyJwtJwks.keys] } }];
  return assentUrl ? [{ jwks_uri: new URL('/.well-known/jwks.json', assentUrl).href }] : [];
}

function aClient(clientId: string, clientName: string, metadata: Partial<ClientMetadata>): ClientMetadata {
  return {
    client_id: clientId,
    client_name: clientName,
    grant_types: [CIBA_GRANT_TYPE, 'refresh_token'],
    response_types: [],
    redirect_uris: [],
    id_token_signed_response_alg: 'ES256',
    backchannel_token_delivery_mode: 'poll',
    ...metadata,
  };
}
