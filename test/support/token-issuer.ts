import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** Header and claims of a token to be made; undefined leaves a member out. */
export interface TokenParts {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** An authorization server that issues access tokens (RFC 9068), publishes its keys, and counts who asks for them. */
export class TokenIssuer {
  /** Addresses asked, in order. */
  readonly calls: string[] = [];
  /** False: every call is answered 503. */
  reachable = true;
  /** Members of the metadata that differ. */
  metadata: Record<string, unknown> = {};
  private keys: JWK[] = [];
  private signing!: CryptoKey;
  private kid = '';

  private constructor(
    private readonly server: Server,
    readonly url: string,
    readonly audience: string,
  ) {}

  static async start(audience = 'https://assent.example'): Promise<TokenIssuer> {
    const server = createServer((request, response) => {
      const { status, body } = issuer.answer(request.url ?? '');
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new TokenIssuer(
      server,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/realm`,
      audience,
    );
    await issuer.changeKey('first');
    return issuer;
  }

  /** Signs with a new key from now on; the old ones stay published. */
  async changeKey(kid: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    this.keys = [...this.keys, { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }];
    [this.signing, this.kid] = [privateKey, kid];
  }

  /** What is published. */
  get published(): readonly JWK[] {
    return this.keys;
  }

  /** The claims of a token that is good. */
  claims(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    return {
      ...{ iss: this.url, aud: this.audience, sub: 'warehouse', client_id: 'warehouse', scope: 'requests:read' },
      ...{ iat: now, exp: now + 300, jti: 'a-token' },
      ...over,
    };
  }

  /** A token, good but for what is given. */
  token({ header = {}, claims = {} }: TokenParts = {}, key: CryptoKey | Uint8Array = this.signing): Promise<string> {
    const protectedHeader = { alg: 'ES256', typ: 'at+jwt', kid: this.kid, ...header };
    return new SignJWT(this.claims(claims)).setProtectedHeader(protectedHeader).sign(key);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(path: string): { status: number; body: object } {
    this.calls.push(path);
    if (!this.reachable) return { status: 503, body: {} };
    if (path === '/realm/.well-known/openid-configuration') {
      return { status: 200, body: { issuer: this.url, jwks_uri: `${this.url}/keys`, ...this.metadata } };
    }
    return path === '/realm/keys' ? { status: 200, body: { keys: this.keys } } : { status: 404, body: {} };
  }
}
