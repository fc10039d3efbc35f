import { createHash, randomBytes } from 'node:crypto';
import { base64url, generateKeyPair, importJWK, SignJWT, type JWK, type JWTPayload } from 'jose';
import type { TokenChange } from './misbehaviours.js';

/** What tokens are about. */
export interface TokenSubject {
  readonly issuer: string;
  readonly clientId: string;
  readonly subject: string;
  readonly scope: string;
  readonly acr: string | null;
  readonly authReqId: string;
  readonly authorizationDetails: unknown;
  /** Adds the claims that bind an ID token to what is delivered with it (CIBA Core 1.0 §10.3.1). */
  readonly hashes: boolean;
  readonly refreshToken: boolean;
}

const lifetimeSeconds = 300;

/** Signs for every persona, with the sandbox's own keys. */
export class PersonaTokens {
  constructor(private readonly signingKeys: readonly JWK[]) {}

  /** The public halves, as every persona publishes them. */
  publicKeys(): { keys: JWK[] } {
    return { keys: this.signingKeys.map((key) => ({ ...key, d: undefined })) };
  }

  /** A token answer; `change` spoils it. */
  async issue(about: TokenSubject, change: TokenChange = {}): Promise<Record<string, unknown>> {
    const accessToken = randomBytes(24).toString('base64url');
    const refreshToken = about.refreshToken ? randomBytes(24).toString('base64url') : undefined;
    const now = Math.floor(Date.now() / 1000);
    const claims: JWTPayload = {
      iss: about.issuer,
      aud: about.clientId,
      sub: about.subject,
      iat: now,
      exp: now + lifetimeSeconds,
      auth_time: now,
      amr: ['phone'],
      ...(about.acr !== null && { acr: about.acr }),
      ...(about.hashes && {
        at_hash: halfHash(accessToken),
        ...(refreshToken !== undefined && { 'urn:openid:params:jwt:claim:rt_hash': halfHash(refreshToken) }),
        'urn:openid:params:jwt:claim:auth_req_id': about.authReqId,
      }),
      ...change.claims,
    };
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
      scope: about.scope,
      id_token: await this.#sign(claims, change.signature ?? null),
      refresh_token: refreshToken,
      authorization_details: about.authorizationDetails ?? undefined,
      ...change.members,
    };
  }

  async #sign(claims: JWTPayload, signature: NonNullable<TokenChange['signature']> | null): Promise<string> {
    const jwk = this.signingKeys.find(({ alg }) => alg === 'ES256');
    if (jwk?.kid === undefined) throw new Error('The sandbox has no ES256 key');
    if (signature === 'none') {
      const part = (value: object) => base64url.encode(JSON.stringify(value));
      return `${part({ alg: 'none' })}.${part(claims)}.`;
    }
    const key = signature === 'foreign' ? (await generateKeyPair('ES256')).privateKey : await importJWK(jwk, 'ES256');
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: jwk.kid }).sign(key);
    return signature === 'spoiled' ? `${token.slice(0, -8)}AAAAAAAA` : token;
  }
}

/** The left half of the SHA-256 hash (OpenID Connect Core 1.0 §3.1.3.6). */
const halfHash = (token: string): string =>
  createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url');
