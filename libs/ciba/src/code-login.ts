import * as openid from 'openid-client';
import { Agent, errors, fetch } from 'undici';
import { openConnector, type ConnectorFactory } from './connections.js';
import { ProviderUnavailable } from './provider-faults.js';

const timeoutSeconds = 10;
/** Of an answer, compressed and decompressed alike. */
const maximumAnswerBytes = 256 * 1024;
/** What the provider says about itself is believed for so long. */
const discoveryLifeMs = 600_000;

/** A client at an OpenID Provider at which people log in. */
export interface CodeLoginOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
  readonly redirectUri: string;
  readonly scope: string;
  /** Opens every connection; the place for an outbound guard. */
  readonly connect?: ConnectorFactory;
  /** Whether plain http is good enough; for development only. */
  readonly allowInsecureHttp: boolean;
}

/** What one login is bound to: random, and known to one browser and to us. */
export interface CodeLoginSecrets {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly codeVerifier: string;
}

/** What the provider vouches for. */
export type LoginClaims = Readonly<Record<string, unknown>> & { readonly sub: string };

/** How a login ended; `detail` is for the log. */
export type CodeLoginResult =
  | { readonly kind: 'accepted'; readonly claims: LoginClaims }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly detail: string };

/** Logins of people by the authorization code flow with PKCE (OpenID Connect Core 1.0 §3.1, RFC 9700). */
export class CodeLogin {
  private readonly agent: Agent;
  private known: { readonly untilMs: number; readonly configuration: Promise<openid.Configuration> } | null = null;

  constructor(private readonly options: CodeLoginOptions) {
    const connect = (options.connect ?? openConnector)({});
    this.agent = new Agent({ connect, maxResponseSize: maximumAnswerBytes });
  }

  /**
   * Where the browser is sent.
   *
   * @throws ProviderUnavailable when the provider cannot be discovered
   */
  async begin({ state, nonce, codeVerifier }: CodeLoginSecrets): Promise<URL> {
    return openid.buildAuthorizationUrl(await this.configuration(), {
      redirect_uri: this.options.redirectUri,
      scope: this.options.scope,
      response_type: 'code',
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    });
  }

  /**
   * Judges what the browser came back with, and fetches what it stands for; never rejects for what the provider does.
   *
   * @param query of the address that the browser came to, as it came
   * @param isEnough whether the ID token says all that is wanted; otherwise the userinfo endpoint is asked as well
   */
  async finish(
    query: string,
    { state, nonce, codeVerifier }: CodeLoginSecrets,
    isEnough: (claims: LoginClaims) => boolean,
  ): Promise<CodeLoginResult> {
    try {
      const configuration = await this.configuration();
      const cameTo = new URL(this.options.redirectUri);
      cameTo.search = query;
      const tokens = await openid.authorizationCodeGrant(configuration, cameTo, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      const own = tokens.claims() as LoginClaims;
      if (isEnough(own) || configuration.serverMetadata().userinfo_endpoint === undefined) {
        return { kind: 'accepted', claims: own };
      }
      const told = await openid.fetchUserInfo(configuration, tokens.access_token, own.sub);
      return { kind: 'accepted', claims: { ...told, ...own } };
    } catch (error) {
      return error instanceof ProviderUnavailable || isOutage(error)
        ? { kind: 'unavailable', detail: detailOf(error) }
        : { kind: 'refused', detail: detailOf(error) };
    }
  }

  /** Lets calls under way end, then closes every connection. */
  close(): Promise<void> {
    return this.agent.close();
  }

  private configuration(): Promise<openid.Configuration> {
    const nowMs = performance.now();
    if (this.known !== null && this.known.untilMs > nowMs) return this.known.configuration;
    const known = { untilMs: nowMs + discoveryLifeMs, configuration: this.discover() };
    this.known = known;
    // A failure is not remembered.
    known.configuration.catch(() => {
      if (this.known === known) this.known = null;
    });
    return known.configuration;
  }

  private async discover(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret, allowInsecureHttp } = this.options;
    try {
      return await openid.discovery(new URL(issuer), clientId, {}, authentication(clientSecret), {
        [openid.customFetch]: (url, init) => this.fetch(url, init),
        timeout: timeoutSeconds,
        // The signature of the ID token is checked as well, although it comes straight from the provider.
        execute: [openid.enableNonRepudiationChecks, ...(allowInsecureHttp ? [allowPlainHttp] : [])],
      });
    } catch (error) {
      throw new ProviderUnavailable(`${issuer} cannot be discovered: ${detailOf(error)}`, { cause: error });
    }
  }

  private async fetch(url: string, { body, ...init }: openid.CustomFetchOptions): Promise<Response> {
    const text = body instanceof URLSearchParams ? body.toString() : (body as string | undefined);
    return bounded(await fetch(url, { ...init, ...(text !== undefined && { body: text }), dispatcher: this.agent }));
  }
}

/** The agent counts what comes over the wire; `fetch` decompresses it, and then a small answer may be a large one. */
async function bounded({ status, headers, body }: Awaited<ReturnType<typeof fetch>>): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maximumAnswerBytes) throw new errors.ResponseExceededMaxSizeError('the answer is too large');
    chunks.push(chunk);
  }
  return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, headers: [...headers] });
}

/** By the method that the provider takes; one that does not say takes basic (OpenID Connect Discovery 1.0 §3). */
function authentication(clientSecret: string | null): openid.ClientAuth {
  if (clientSecret === null) return openid.None();
  const [basic, post] = [openid.ClientSecretBasic(clientSecret), openid.ClientSecretPost(clientSecret)];
  return (server, client, body, headers) => {
    const taken = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    (taken.includes('client_secret_basic') ? basic : post)(server, client, body, headers);
  };
}

// Deprecated to make it stand out; it is for development only. Discovery looks for this very function.
const allowPlainHttp = openid.allowInsecureRequests;

/** No answer, or one that says "not now". */
function isOutage(error: unknown): boolean {
  const { status, cause, code, name } = error as { status?: unknown; cause?: unknown; code?: unknown; name?: unknown };
  if (typeof status === 'number') return status >= 500;
  if (name === 'TimeoutError' || code === 'OAUTH_TIMEOUT') return true;
  if (typeof code === 'string' && /^(E[A-Z]+|UND_ERR_\w+)$/.test(code)) return true;
  return cause instanceof Error && cause !== error && isOutage(cause);
}

/** Codes alone: messages and causes may quote tokens. */
function detailOf(error: unknown): string {
  const { error: oauth, code, name } = error as { error?: unknown; code?: unknown; name?: unknown };
  return [oauth, code, name].filter((part) => typeof part === 'string' && /^[\w .:-]{1,80}$/.test(part)).join(' ');
}
