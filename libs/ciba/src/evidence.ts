import { createHash } from 'node:crypto';
import type { Evidence, EvidenceExpectation, EvidenceProblem, EvidenceVerdict, TokenAnswer } from './outcomes.js';
import { isPrintable } from './answer-fields.js';
import { areDetailsGranted } from './authorization-details.js';
import type { IdToken } from './id-token.js';

/** Signature algorithms that can carry an approval; what the provider's metadata leaves out is refused as well. */
export const acceptedAlgorithms: readonly string[] = ['PS256', 'ES256', 'EdDSA', 'RS256'];

/** Everything the checks look at. The ID token's signature is good already. */
export interface EvidenceSubject {
  readonly idToken: IdToken;
  readonly answer: TokenAnswer;
  /** The issuer that was asked. */
  readonly issuer: string;
  readonly expectation: EvidenceExpectation;
  readonly now: Date;
}

type Rejection = Extract<EvidenceVerdict, { kind: 'rejected' }>;
type Check = readonly [problem: EvidenceProblem, holds: (subject: EvidenceSubject) => boolean, detail: string];

const authReqIdClaim = 'urn:openid:params:jwt:claim:auth_req_id';
const refreshTokenHashClaim = 'urn:openid:params:jwt:claim:rt_hash';
const maximumTextLength = 255;
const maximumMethods = 50;
/** Each of these lets the token name its own key or change what is signed (RFC 7515 §4.1, RFC 7797 §3). */
const refusedHeaders = ['crit', 'b64', 'jku', 'x5u', 'jwk', 'zip'];

/** A verdict against the answer. The detail is a constant: nothing of the token gets into it. */
export function reject(problem: EvidenceProblem, detail: string): Rejection {
  return { kind: 'rejected', problem, detail };
}

/** Checks what can be said about an ID token before its signature is looked at; null when nothing is wrong. */
export function checkHeader(idToken: IdToken, algorithms: readonly string[]): Rejection | null {
  const { header } = idToken;
  const algorithm = header.get('alg');
  if (typeof algorithm !== 'string' || !algorithms.includes(algorithm)) {
    return reject('algorithm', 'the ID token is signed with an algorithm that is not accepted');
  }
  if (refusedHeaders.some((name) => header.has(name))) {
    return reject('header', 'the ID token has a header that lets it choose its own key or meaning');
  }
  const type = header.get('typ');
  if (type !== undefined && !(typeof type === 'string' && /^(application\/)?jwt$/i.test(type))) {
    return reject('token_type', 'the token is of another type than an ID token');
  }
  return null;
}

/** Checks that a signed ID token proves that this person approved this request (OpenID Connect Core 1.0 §3.1.3.7). */
export function checkEvidence(subject: EvidenceSubject): EvidenceVerdict {
  for (const [problem, holds, detail] of checks) {
    if (!holds(subject)) return reject(problem, detail);
  }
  return { kind: 'verified', evidence: collectEvidence(subject), grantedScope: grantedScope(subject) };
}

const checks: readonly Check[] = [
  [
    'access_token_missing',
    ({ answer }) => isFilled(answer.accessToken) && isFilled(answer.tokenType),
    'the answer has no access token or no token type',
  ],
  [
    'issuer',
    (it) => claim(it, 'iss') === it.issuer,
    'the ID token comes from another issuer than the one that was asked',
  ],
  [
    'audience',
    (it) => isExactly(claim(it, 'aud'), it.expectation.clientId),
    'the ID token is not for this client alone',
  ],
  [
    'authorized_party',
    (it) => isAbsentOr(claim(it, 'azp'), it.expectation.clientId),
    'the ID token was issued to another client',
  ],
  ['subject', (it) => isShortText(claim(it, 'sub')), 'the ID token names no subject'],
  [
    'subject_mismatch',
    (it) => it.expectation.expectedSubject === null || claim(it, 'sub') === it.expectation.expectedSubject,
    'the ID token names another person than the one that was asked',
  ],
  ['expiry', (it) => isTime(claim(it, 'exp')), 'the ID token does not say when it expires'],
  ['expired', (it) => time(it, 'exp') > nowSeconds(it) - skew(it), 'the ID token has expired'],
  [
    'not_yet_valid',
    (it) => claim(it, 'nbf') === undefined || time(it, 'nbf') <= nowSeconds(it) + skew(it),
    'the ID token is not valid yet',
  ],
  ['issued_at', (it) => isTime(claim(it, 'iat')), 'the ID token does not say when it was issued'],
  [
    'issued_before_request',
    (it) => time(it, 'iat') >= sentSeconds(it) - skew(it),
    'the ID token is older than the request',
  ],
  ['issued_in_future', (it) => time(it, 'iat') <= nowSeconds(it) + skew(it), 'the ID token was issued in the future'],
  [
    'auth_time',
    (it) => claim(it, 'auth_time') === undefined || time(it, 'auth_time') <= nowSeconds(it) + skew(it),
    'the time of authentication makes no sense',
  ],
  [
    'authenticated_before_request',
    (it) => claim(it, 'auth_time') === undefined || time(it, 'auth_time') >= sentSeconds(it) - skew(it),
    'the person authenticated before the request was made',
  ],
  [
    'acr',
    (it) => isAcceptedAcr(claim(it, 'acr'), it.expectation.acrValues),
    'the person was not authenticated in a way that was asked for',
  ],
  [
    'scope',
    (it) => isPrintable(grantedScope(it)) && includesAll(grantedScope(it), it.expectation.requestedScope),
    'less was granted than was asked for, or nobody can read what was granted',
  ],
  [
    'authorization_details',
    ({ answer, expectation: { authorizationDetails: asked } }) =>
      asked == null || areDetailsGranted(asked, answer.authorizationDetails),
    'something else was granted in detail than was asked for',
  ],
  [
    'at_hash',
    (it) => isHashOf(it, claim(it, 'at_hash'), it.answer.accessToken, isPushed(it)),
    'the access token does not belong to the ID token',
  ],
  [
    'rt_hash',
    (it) =>
      it.answer.refreshToken === null ||
      isHashOf(it, claim(it, refreshTokenHashClaim), it.answer.refreshToken, isPushed(it)),
    'the refresh token does not belong to the ID token',
  ],
  [
    'auth_req_id',
    (it) =>
      isPushed(it)
        ? claim(it, authReqIdClaim) === it.expectation.authReqId
        : isAbsentOr(claim(it, authReqIdClaim), it.expectation.authReqId),
    'the ID token belongs to another request',
  ],
];

/** What makes no sense is left out; text that does not print could be neither stored nor shown. */
function collectEvidence(subject: EvidenceSubject): Evidence {
  const acr = claim(subject, 'acr');
  const amr = claim(subject, 'amr');
  const authTime = claim(subject, 'auth_time');
  return {
    issuer: subject.issuer,
    subject: String(claim(subject, 'sub')),
    acr: isShortText(acr) ? acr : null,
    amr: Array.isArray(amr) && amr.length <= maximumMethods && amr.every(isShortText) ? amr : null,
    authTime: typeof authTime === 'number' ? Math.floor(authTime) : null,
    idTokenSha256: createHash('sha256').update(subject.idToken.compact).digest('base64url'),
  };
}

const claim = (subject: EvidenceSubject, name: string): unknown => subject.idToken.claims.get(name);
const skew = ({ expectation }: EvidenceSubject): number => expectation.clockSkewSeconds ?? 60;
const nowSeconds = ({ now }: EvidenceSubject): number => now.getTime() / 1000;
/** Whole seconds, as the provider counts: a token of the very second of the request is not older than it. */
const sentSeconds = ({ expectation }: EvidenceSubject): number => Math.floor(expectation.sentAt.getTime() / 1000);

/** The claim as seconds since the epoch; NaN, which no comparison lets pass, when it is not a time. */
function time(subject: EvidenceSubject, name: string): number {
  const value = claim(subject, name);
  return isTime(value) ? value : Number.NaN;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isFilled(value: string | null): boolean {
  return value !== null && value !== '';
}

function isAbsentOr(value: unknown, expected: string): boolean {
  return value === undefined || value === expected;
}

/** Extra audiences are refused, so an array may hold one member only. */
function isExactly(audience: unknown, clientId: string): boolean {
  return audience === clientId || (Array.isArray(audience) && audience.length === 1 && audience[0] === clientId);
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maximumTextLength && isPrintable(value);
}

function isAcceptedAcr(acr: unknown, accepted: readonly string[]): boolean {
  return accepted.length === 0 || (typeof acr === 'string' && accepted.includes(acr));
}

function grantedScope({ answer, expectation }: EvidenceSubject): string {
  return answer.scope ?? expectation.requestedScope;
}

function includesAll(granted: string, requested: string): boolean {
  const values = new Set(granted.split(' '));
  return requested.split(' ').every((value) => values.has(value));
}

/** In a push the claims that bind tokens and request together are mandatory (CIBA Core 1.0 §10.3.1). */
const isPushed = ({ expectation }: EvidenceSubject): boolean => expectation.pushed === true;

function isHashOf(subject: EvidenceSubject, hash: unknown, token: string | null, mandatory: boolean): boolean {
  return hash === undefined ? !mandatory : hash === tokenHash(subject, token);
}

/** The left half of the token's hash (OpenID Connect Core 1.0 §3.1.3.6); Ed25519 hashes with SHA-512. */
function tokenHash({ idToken }: EvidenceSubject, token: string | null): string {
  const digest = createHash(idToken.header.get('alg') === 'EdDSA' ? 'sha512' : 'sha256')
    .update(token ?? '')
    .digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
}
