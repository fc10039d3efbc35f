import type { MetadataDocument } from './provider-metadata.js';

/** A family of providers whose deviations from the specification are known; see `provider-profiles.ts`. */
export type ProviderProfileName =
  | 'generic'
  | 'pingfederate'
  | 'pingone'
  | 'keycloak'
  | 'auth0'
  | 'okta'
  | 'duende'
  | 'wso2'
  | 'curity'
  | 'camara'
  | 'oidc-provider';

/** Where a token provider is, and whom we trust to be it. */
export interface ProviderSettings {
  /** Changes whenever the settings change (provider id and version): everything learned from the provider is cached under it. */
  readonly id: string;
  /** The issuer identifier, compared byte by byte (OpenID Connect Discovery 1.0 §4.3). */
  readonly issuer: string;
  /** The provider's metadata when it publishes none; null means discovery. */
  readonly metadata: MetadataDocument | null;
  /** Certificate authorities in PEM; when there are any, only they are trusted. */
  readonly trustedCertificates: readonly string[];
  readonly profile: ProviderProfileName;
}

/** A client secret; the method is chosen from the provider's metadata when it is null. */
export interface SecretCredentials {
  readonly type: 'secret';
  readonly clientSecret: string;
  readonly method: 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | null;
}

/** A client certificate, shown in the TLS handshake (RFC 8705 §2). */
export interface MutualTlsCredentials {
  readonly type: 'mutual-tls';
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth' | null;
}

/** A private key of ours; its public half is published under `kid`. */
export interface SigningKeyMaterial {
  readonly kid: string;
  readonly alg: 'ES256' | 'PS256' | 'RS256' | 'EdDSA';
  readonly privateKeyPem: string;
}

/** A private key of ours to which a provider may encrypt; its public half is published under `kid`. */
export interface DecryptionKeyMaterial {
  readonly kid: string;
  /** `ECDH-ES` stands for its variant with key wrapping as well (RFC 7518 §4.6). */
  readonly alg: 'RSA-OAEP-256' | 'ECDH-ES';
  readonly privateKeyPem: string;
}

/** A key that signs a fresh assertion for every call (RFC 7523 §2.2). */
export interface PrivateKeyJwtCredentials {
  readonly type: 'private-key-jwt';
  readonly signingKey: SigningKeyMaterial;
  /** Of other algorithms, for a provider that does not take the first one's. */
  readonly furtherKeys?: readonly SigningKeyMaterial[];
}

/** How we prove to the provider that we are its client. */
export type ClientCredentials = SecretCredentials | MutualTlsCredentials | PrivateKeyJwtCredentials;

/** How start calls are signed (CIBA Core 1.0 §7.1.1). */
export interface RequestSigning {
  /** One of them is used: the first that the provider takes. */
  readonly keys: readonly SigningKeyMaterial[];
  /** Null: chosen from the provider's metadata. */
  readonly alg: 'PS256' | 'ES256' | null;
}

/** One client at one provider. */
export interface ClientRegistration {
  /** Changes whenever the registration changes (rule id and version, keys): what can be prepared once is cached under it. */
  readonly key: string;
  readonly provider: ProviderSettings;
  readonly clientId: string;
  readonly credentials: ClientCredentials;
  /** Null or absent: requests are not signed. */
  readonly requestSigning?: RequestSigning | null;
  /** True: tokens are bound to a key of ours (RFC 9449). */
  readonly dpop?: boolean;
  /** True: only what FAPI-CIBA allows will do, for evidence as well. */
  readonly fapi?: boolean;
  /** What opens ID tokens that are encrypted to us, those of the past included. */
  readonly decryptionKeys?: readonly DecryptionKeyMaterial[];
}
