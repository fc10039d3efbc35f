import type { JWK } from 'jose';
import type { ClientMetadata, Provider } from 'oidc-provider';
import type { SandboxClients, SecretClient } from './clients.js';
import type { SandboxLog } from './sandbox-log.js';

export interface SandboxOptions {
  readonly port: number;
  /** The address to listen on; 127.0.0.1 unless told. */
  readonly host?: string;
  /** Under which others reach it, and the issuer; `http://<host>:<port>` unless told. */
  readonly url?: string;
  /** Where Assent is: for its published keys, for pings, and for the shop. */
  readonly assentUrl: string | null;
  /** With which the shop calls Assent. */
  readonly assentApiKey: string | null;
  readonly shopRule?: string;
  /** The polling interval that clients are told and held to; 2 unless told, 0 to leave both out. */
  readonly intervalSeconds?: number;
  /** How long a person may take when the client does not say; 120 unless told. */
  readonly defaultExpirySeconds?: number;
  /** Keys, certificates and everything pending are kept in this folder over restarts. */
  readonly dataDir?: string;
  /** The keys of `assent-private-key-jwt`, instead of those that Assent publishes. */
  readonly privateKeyJwtJwks?: { readonly keys: readonly JWK[] };
  /** Registered at the real provider beside its own. */
  readonly furtherClients?: (mtls: SandboxMtls) => readonly ClientMetadata[];
  readonly log?: SandboxLog;
}

/** The https listener and what a client needs to be let in. */
export interface SandboxMtls {
  readonly url: string;
  readonly caCertificatePem: string;
  readonly clientCertificatePem: string;
  readonly clientPrivateKeyPem: string;
  readonly selfSignedCertificatePem: string;
  readonly selfSignedPrivateKeyPem: string;
}

/** Where everything is; all of it is public, `/sandbox.json` shows it to scripts. */
export interface SandboxDescription {
  readonly url: string;
  readonly issuer: string;
  readonly phoneUrl: string;
  /** What simulated providers there are, as a page and as JSON. */
  readonly personasUrl: string;
  readonly shopUrl: string;
  readonly mtls: SandboxMtls;
  readonly clients: SandboxClients;
  /** With which people log in to Assent's console; registered when the sandbox knows where Assent is. */
  readonly consoleClient: SecretClient;
}

/** A running sandbox. */
export interface Sandbox extends SandboxDescription {
  readonly provider: Provider;
  /** Ends both listeners and every open connection. */
  stop(): Promise<void>;
}
