import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { acceptedAlgorithms, checkEvidence, checkHeader, type EvidenceSubject } from './evidence.js';
import type { EvidenceExpectation, TokenAnswer } from './outcomes.js';

const sentAt = new Date('2026-03-01T12:00:00.700Z');
const now = new Date('2026-03-01T12:01:00Z');
const sent = Math.floor(sentAt.getTime() / 1000);
const at = now.getTime() / 1000;

interface Change {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  readonly answer?: Partial<TokenAnswer>;
  readonly expectation?: Partial<EvidenceExpectation>;
}

function aSubject({ claims = {}, header = {}, answer = {}, expectation = {} }: Change = {}): EvidenceSubject {
  const usual = { iss: 'https://op.example', aud: 'client-1', sub: 'alice', exp: at + 300, iat: sent };
  const given = Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined);
  return {
    idToken: { compact: 'a.b.c', header: new Map(Object.entries({ alg: 'ES256', ...header })), claims: new Map(given) },
    answer: {
      accessToken: 'access',
      tokenType: 'Bearer',
      expiresInSeconds: null,
      scope: null,
      idToken: 'a.b.c',
      refreshToken: null,
      authorizationDetails: null,
      ...answer,
    },
    issuer: 'https://op.example',
    expectation: {
      clientId: 'client-1',
      requestedScope: 'openid payments',
      sentAt,
      acrValues: [],
      expectedSubject: null,
      authReqId: 'id-1',
      ...expectation,
    },
    now,
  };
}

function problemOf(change: Change): string | null {
  const verdict = checkEvidence(aSubject(change));
  return verdict.kind === 'rejected' ? verdict.problem : null;
}

const leftHalf = (algorithm: string) => {
  const digest = createHash(algorithm).update('access').digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
};

const half = (token: string) => createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url');
const rtHash = 'urn:openid:params:jwt:claim:rt_hash';
const authReqId = 'urn:openid:params:jwt:claim:auth_req_id';

describe('evidence that was pushed', () => {
  const pushed = { pushed: true };
  const bound = { at_hash: half('access'), [authReqId]: 'id-1' };
  const refreshed = { refreshToken: 'refresh' };

  it.each<[string, string | null, Change]>([
    ['binds token and request (R83, R84)', null, { claims: bound }],
    [
      'binds the refresh token as well (R84)',
      null,
      { claims: { ...bound, [rtHash]: half('refresh') }, answer: refreshed },
    ],
    ['needs at_hash (R84)', 'at_hash', { claims: { ...bound, at_hash: undefined } }],
    ['needs the right at_hash (R84)', 'at_hash', { claims: { ...bound, at_hash: half('other') } }],
    ['needs rt_hash beside a refresh token (R84)', 'rt_hash', { claims: bound, answer: refreshed }],
    ['needs the right rt_hash (R84)', 'rt_hash', { claims: { ...bound, [rtHash]: half('x') }, answer: refreshed }],
    ['needs the auth_req_id (R83)', 'auth_req_id', { claims: { at_hash: half('access') } }],
    ['needs the right auth_req_id (R83)', 'auth_req_id', { claims: { ...bound, [authReqId]: 'id-2' } }],
  ])('%s', (_what, problem, change) => {
    expect(problemOf({ ...change, expectation: pushed })).toBe(problem);
  });

  it('is held to no more than what is there when it was polled for (Q32)', () => {
    expect(problemOf({ answer: refreshed })).toBeNull();
    expect(problemOf({ claims: { [rtHash]: half('refresh') }, answer: refreshed })).toBeNull();
    expect(problemOf({ claims: { [rtHash]: half('x') }, answer: refreshed })).toBe('rt_hash');
  });
});

describe('evidence that is accepted', () => {
  it.each<[string, Change]>([
    ['the usual', {}],
    ['a list of one audience', { claims: { aud: ['client-1'] } }],
    ['our own authorized party', { claims: { azp: 'client-1' } }],
    ['a subject of 255 characters', { claims: { sub: 'x'.repeat(255) } }],
    ['an ID token of the second of the request', { claims: { iat: sent } }],
    ['a clock a minute behind', { claims: { iat: sent - 60 } }],
    ['a clock a minute ahead', { claims: { iat: at + 60, nbf: at + 60, auth_time: at + 60 } }],
    ['an expiry within the skew', { claims: { exp: at - 59 } }],
    ['an authentication at the time of the request', { claims: { auth_time: sent - 60 } }],
    ['one of the acr values', { claims: { acr: 'b' }, expectation: { acrValues: ['a', 'b'] } }],
    ['an acr nobody asked for', { claims: { acr: 'c' } }],
    ['the expected subject', { expectation: { expectedSubject: 'alice' } }],
    ['the scope in another order, and wider', { answer: { scope: 'email payments openid' } }],
    ['a request with blanks too many', { expectation: { requestedScope: 'openid  payments ' } }],
    ['a fitting at_hash', { claims: { at_hash: leftHalf('sha256') } }],
    ['a fitting at_hash of Ed25519', { claims: { at_hash: leftHalf('sha512') }, header: { alg: 'EdDSA' } }],
    ['our own auth_req_id', { claims: { 'urn:openid:params:jwt:claim:auth_req_id': 'id-1' } }],
    [
      'the details that were asked for',
      {
        answer: { authorizationDetails: [{ id: 1, type: 'a' }] },
        expectation: { authorizationDetails: [{ type: 'a', id: 1 }] },
      },
    ],
    ['details nobody asked for', { answer: { authorizationDetails: [{ type: 'a' }] } }],
    ['members nobody knows', { claims: { 'https://op.example/risk': { score: 7 } } }],
  ])('%s', (_what, change) => {
    expect(problemOf(change)).toBeNull();
  });

  it('says what it proves (R95)', () => {
    const claims = { acr: 'a', amr: ['pin'], auth_time: sent + 5 };
    expect(checkEvidence(aSubject({ claims, answer: { scope: 'openid payments email' } }))).toEqual({
      kind: 'verified',
      grantedScope: 'openid payments email',
      evidence: {
        issuer: 'https://op.example',
        subject: 'alice',
        acr: 'a',
        amr: ['pin'],
        authTime: sent + 5,
        idTokenSha256: createHash('sha256').update('a.b.c').digest('base64url'),
      },
    });
  });

  it('tells of fifty methods, and of no more', () => {
    const amr = Array.from({ length: 50 }, () => 'pin');
    expect(checkEvidence(aSubject({ claims: { amr } }))).toMatchObject({ evidence: { amr } });
  });

  it.each<Record<string, unknown>>([
    { acr: 7, amr: 'pin' },
    { acr: '', amr: [''] },
    { acr: 'a\u0000', amr: ['pin', 'hwk\u0000'] },
    { acr: '\ud800', amr: ['\udc00'] },
    { acr: 'x'.repeat(256), amr: ['x'.repeat(256)] },
    { amr: Array.from({ length: 51 }, () => 'pin') },
  ])('says nothing of what was not told, or told in a way that makes no sense: %j', (claims) => {
    expect(checkEvidence(aSubject({ claims }))).toMatchObject({
      evidence: { acr: null, amr: null, authTime: null },
      grantedScope: 'openid payments',
    });
  });

  it('tells the time in whole seconds', () => {
    expect(checkEvidence(aSubject({ claims: { auth_time: sent + 5.75 } }))).toMatchObject({
      evidence: { authTime: sent + 5 },
    });
  });
});

describe('evidence that is rejected', () => {
  it.each<[string, Change]>([
    ['access_token_missing', { answer: { accessToken: null } }],
    ['access_token_missing', { answer: { tokenType: null } }],
    ['access_token_missing', { answer: { accessToken: '' } }],
    ['issuer', { claims: { iss: 'https://op.example/' } }],
    ['audience', { claims: { aud: 'client-2' } }],
    ['audience', { claims: { aud: ['client-1', 'client-1'] } }],
    ['audience', { claims: { aud: ['client-2'] } }],
    ['audience', { claims: { aud: { length: 1, 0: 'client-1' } } }],
    ['authorized_party', { claims: { azp: 'client-2' } }],
    ['subject', { claims: { sub: 'x'.repeat(256) } }],
    ['subject_mismatch', { expectation: { expectedSubject: 'bob' } }],
    ['expiry', { claims: { exp: Number.POSITIVE_INFINITY } }],
    ['expiry', { claims: { exp: 0 } }],
    ['expired', { claims: { exp: at - 60 } }],
    ['not_yet_valid', { claims: { nbf: at + 61 } }],
    ['not_yet_valid', { claims: { nbf: '1' } }],
    ['issued_at', { claims: { iat: -1 } }],
    ['issued_before_request', { claims: { iat: sent - 61 } }],
    ['issued_in_future', { claims: { iat: at + 61 } }],
    ['auth_time', { claims: { auth_time: at + 61 } }],
    ['auth_time', { claims: { auth_time: String(sent) } }],
    ['authenticated_before_request', { claims: { auth_time: sent - 61 } }],
    ['acr', { expectation: { acrValues: ['a'] } }],
    ['acr', { claims: { acr: 'a b' }, expectation: { acrValues: ['a', 'b'] } }],
    ['scope', { answer: { scope: 'openid' } }],
    ['scope', { answer: { scope: 'openid payments x\u0000' } }],
    ['scope', { answer: { scope: 'openid payments \ud800' } }],
    ['authorization_details', { expectation: { authorizationDetails: [{ type: 'a' }] } }],
    [
      'authorization_details',
      { answer: { authorizationDetails: [{ type: 'b' }] }, expectation: { authorizationDetails: [{ type: 'a' }] } },
    ],
    ['at_hash', { claims: { at_hash: leftHalf('sha512') } }],
    ['auth_req_id', { claims: { 'urn:openid:params:jwt:claim:auth_req_id': 'id-2' } }],
    ['expired', { claims: { exp: at }, expectation: { clockSkewSeconds: 0 } }],
    ['issued_before_request', { claims: { iat: sent - 1 }, expectation: { clockSkewSeconds: 0 } }],
  ])('%s: %j', (problem, change) => {
    expect(problemOf(change)).toBe(problem);
  });

  it('does not quote the token', () => {
    const verdict = checkEvidence(aSubject({ claims: { iss: 'https://evil.example', sub: 'mallory' } }));
    expect(JSON.stringify(verdict)).not.toMatch(/evil|mallory/);
  });
});

describe('a header', () => {
  const objection = (header: Record<string, unknown>) =>
    checkHeader(aSubject({ header }).idToken, ['ES256'])?.problem ?? null;

  it.each([{}, { typ: 'JWT' }, { typ: 'jwt' }, { typ: 'application/jwt' }, { kid: 'a', x5t: 'b', cty: 'c' }])(
    'is accepted: %j',
    (header) => {
      expect(objection(header)).toBeNull();
    },
  );

  it.each([
    ['algorithm', { alg: 'PS256' }],
    ['algorithm', { alg: 'none' }],
    ['header', { crit: [] }],
    ['header', { b64: false }],
    ['header', { jku: '' }],
    ['header', { x5u: '' }],
    ['header', { jwk: null }],
    ['header', { zip: 'DEF' }],
    ['token_type', { typ: 'at+jwt' }],
    ['token_type', { typ: 'JWT+at' }],
    ['token_type', { typ: null }],
    ['token_type', { typ: ['JWT'] }],
  ])('is refused for its %s: %j', (problem, header) => {
    expect(objection(header)).toBe(problem);
  });
});

describe('the algorithms', () => {
  it('are these four', () => {
    expect(acceptedAlgorithms).toEqual(['PS256', 'ES256', 'EdDSA', 'RS256']);
  });
});
