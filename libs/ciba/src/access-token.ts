import { parseJsonObject, type JsonObject } from './strict-json.js';

/** An issuer whose access tokens are taken, and the audience that they must name: us. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly audience: string;
}

/** What an access token says, before anybody has looked at its signature. */
export interface AccessTokenClaims {
  readonly issuer: string;
  /** `client_id`, else `sub` (RFC 9068 §2.2). */
  readonly clientId: string;
  readonly scopes: readonly string[];
}

/** What is left to be believed once the signature is good; or why it does not matter. */
export type AccessTokenReading =
  { readonly kind: 'read'; readonly claims: AccessTokenClaims } | { readonly kind: 'refused'; readonly detail: string };

/** Algorithms of signatures that are taken; nothing symmetric, and nothing that the token itself could choose beyond. */
export const accessTokenAlgorithms = ['PS256', 'ES256', 'EdDSA', 'Ed25519', 'RS256'];

/** No token that is taken ends later than this, in seconds from now: one that leaks is worth little for long. */
const maximumTokenLifeSeconds = 3_600;

const clockToleranceSeconds = 30;

// Each names or brings a key of the token's own choosing, changes what is signed, or asks for something unknown.
const refusedHeaders = ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c', 'enc', 'zip'];

/**
 * Judges everything in an access token but its signature (RFC 9068 §4), so that nobody's keys are fetched for a token that
 * could not be taken anyway.
 */
export function readAccessToken(
  compact: string,
  issuers: readonly TokenIssuer[],
  nowSeconds: number,
): AccessTokenReading {
  const parts = compact.split('.');
  if (parts.length !== 3) return refused('it is not a JWS in compact form');
  const [header, claims] = [objectIn(parts[0]!), objectIn(parts[1]!)];
  if (header === null || claims === null) return refused('its parts are not JSON objects');
  if (!/^[\w-]+$/.test(parts[2]!)) return refused('it is not signed');
  const problem = headerProblem(header) ?? timeProblem(claims, nowSeconds) ?? boundProblem(claims);
  if (problem !== null) return refused(problem);
  return believed(claims, issuers);
}

function headerProblem(header: JsonObject): string | null {
  const forbidden = refusedHeaders.find((name) => header.has(name));
  if (forbidden !== undefined) return `its header has ${forbidden}`;
  const typ = header.get('typ');
  if (typeof typ !== 'string' || !/^(application\/)?at\+jwt$/i.test(typ)) return 'its typ is not at+jwt';
  if (!accessTokenAlgorithms.includes(header.get('alg') as string)) return 'its algorithm is not accepted';
  if (header.has('kid') && typeof header.get('kid') !== 'string') return 'its kid is not text';
  return null;
}

function timeProblem(claims: JsonObject, nowSeconds: number): string | null {
  const [exp, nbf, iat] = ['exp', 'nbf', 'iat'].map((name) => claims.get(name));
  if (!isInstant(exp)) return 'it has no exp';
  if (exp <= nowSeconds - clockToleranceSeconds) return 'it has ended';
  if (exp > nowSeconds + maximumTokenLifeSeconds + clockToleranceSeconds) return 'it lives too long';
  if (!isInstant(iat)) return 'it has no iat';
  if (iat > nowSeconds + clockToleranceSeconds) return 'it was issued in the future';
  if (nbf !== undefined && (!isInstant(nbf) || nbf > nowSeconds + clockToleranceSeconds))
    return 'it does not count yet';
  return null;
}

// A token that is bound to a key (RFC 7800) is worth nothing to whoever only holds the token.
const boundProblem = (claims: JsonObject): string | null => (claims.has('cnf') ? 'it is bound to a key' : null);

function believed(claims: JsonObject, issuers: readonly TokenIssuer[]): AccessTokenReading {
  const trusted = issuers.find(({ issuer }) => issuer === claims.get('iss'));
  if (trusted === undefined) return refused('its issuer is not trusted');
  const aud = claims.get('aud');
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((one) => typeof one === 'string')) return refused('its aud is not text');
  if (!audiences.includes(trusted.audience)) return refused('it is meant for somebody else');
  const clientId = claims.has('client_id') ? claims.get('client_id') : claims.get('sub');
  if (!isName(clientId)) return refused('it names no client');
  const scope = claims.get('scope') ?? '';
  if (typeof scope !== 'string') return refused('its scope is not text');
  const scopes = scope.split(' ').filter((one) => one !== '');
  return { kind: 'read', claims: { issuer: trusted.issuer, clientId, scopes } };
}

function objectIn(part: string): JsonObject | null {
  if (!/^[\w-]+$/.test(part)) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url'));
    return parseJsonObject(text);
  } catch {
    return null;
  }
}

const isInstant = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

const isName = (value: unknown): value is string => typeof value === 'string' && /^[\x20-\x7E]{1,256}$/.test(value);

const refused = (detail: string): AccessTokenReading => ({ kind: 'refused', detail });
