import { accessTokenAlgorithms, readAccessToken, type AccessTokenClaims, type TokenIssuer } from './access-token.js';
import type { CibaLog } from './ciba-log.js';
import { Connections, openConnector, type ConnectorFactory } from './connections.js';
import { fetchDocument } from './documents.js';
import { ProviderMisconfigured } from './provider-faults.js';
import { readUrl } from './provider-metadata.js';
import { SigningKeys } from './signing-keys.js';
import type { JsonObject } from './strict-json.js';

/** What became of an access token. */
export type AccessTokenVerdict =
  | { readonly kind: 'accepted'; readonly claims: AccessTokenClaims }
  /** `detail` is for the log: whoever sent it learns no more than that it is not accepted. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** The keys of its issuer cannot be had just now: nothing is known of its signature, and it must not be believed. */
  | { readonly kind: 'keys-unavailable'; readonly detail: string };

export interface AccessTokensOptions {
  readonly issuers: readonly TokenIssuer[];
  /** Opens every connection; the place for an outbound guard. */
  readonly connect?: ConnectorFactory;
  /** Whether plain http is good enough; for development only. */
  readonly allowInsecureHttp: boolean;
  /** For each call to an issuer; 5 s when left out. */
  readonly timeoutMs?: number;
  readonly log?: CibaLog;
  /** A clock that never runs backwards. */
  readonly nowMs?: () => number;
}

/**
 * Access tokens of trusted issuers (RFC 9068). Their keys are found by discovery, kept for ten minutes at most and fetched
 * anew in the background; a token whose key is not among them has them fetched at most every five seconds, whoever sends
 * how many.
 */
export class AccessTokens {
  private readonly connections: Connections;
  private readonly keys: SigningKeys;

  constructor(private readonly options: AccessTokensOptions) {
    this.connections = new Connections(options.connect ?? openConnector);
    this.keys = new SigningKeys(options.nowMs ?? (() => performance.now()), options.log ?? (() => undefined));
  }

  /** Judges a token as a whole; never rejects. */
  async verify(compact: string): Promise<AccessTokenVerdict> {
    const reading = readAccessToken(compact, this.options.issuers, Date.now() / 1000);
    if (reading.kind === 'refused') return reading;
    const { issuer } = reading.claims;
    const check = await this.keys.check(compact, accessTokenAlgorithms, issuer, () => this.load(issuer));
    switch (check.kind) {
      case 'good':
        return { kind: 'accepted', claims: reading.claims };
      case 'bad':
        return { kind: 'refused', detail: 'its signature is wrong' };
      case 'keys-unavailable':
        if (check.cause === 'unpublished') return { kind: 'refused', detail: 'its key is not published' };
        return { kind: 'keys-unavailable', detail: check.detail };
    }
  }

  /** Resolves when what is under way has ended. */
  close(): Promise<void> {
    return this.connections.close();
  }

  private async load(issuer: string): Promise<JsonObject> {
    const metadata = await this.discover(issuer);
    if (metadata.get('issuer') !== issuer) {
      throw new ProviderMisconfigured('the metadata names another issuer than the one that is configured');
    }
    return this.read(readUrl(metadata.get('jwks_uri'), 'jwks_uri', this.options.allowInsecureHttp).href);
  }

  /** Where OpenID Providers publish it, else where other authorization servers do (RFC 8414 §3). */
  private async discover(issuer: string): Promise<JsonObject> {
    const { origin, pathname } = readUrl(issuer, 'issuer', this.options.allowInsecureHttp);
    const path = pathname.replace(/\/$/, '');
    try {
      return await this.read(`${origin}${path}/.well-known/openid-configuration`);
    } catch (error) {
      if (!(error instanceof ProviderMisconfigured)) throw error;
      return this.read(`${origin}/.well-known/oauth-authorization-server${path}`);
    }
  }

  private read(url: string): Promise<JsonObject> {
    return fetchDocument(this.connections.target(url, '', {}), this.options.timeoutMs ?? 5_000);
  }
}
