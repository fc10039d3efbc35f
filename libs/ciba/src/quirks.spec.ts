/** Peculiarities of known providers (docs/providers.md) that show in one answer or one profile, by their numbers. */
import { describe, expect, it } from '@jest/globals';
import type { StartOutcome } from './outcomes.js';
import { bindingMessageLimits } from './provider-binding-messages.js';
import { providerProfiles } from './provider-profiles.js';
import { readStartAnswer } from './start-answer.js';
import { parseJsonObject } from './strict-json.js';
import { readTokenAnswer } from './token-answer.js';

const now = new Date('2026-03-01T12:00:00Z');

const answer = (status: number, body: object, retryAfter: string | null = null) => ({
  status,
  retryAfter,
  body: parseJsonObject(JSON.stringify(body)),
});

const start = (status: number, body: object, profile: keyof typeof providerProfiles = 'generic'): StartOutcome =>
  readStartAnswer(answer(status, body), now, providerProfiles[profile].startErrors);

const acknowledgement = { auth_req_id: 'id-1', expires_in: 120 };

describe('the start answer of', () => {
  it('Auth0: invalid_request that speaks of push notifications means that nobody can be asked (Q6)', () => {
    const said = { error: 'invalid_request', error_description: 'User does not have push notifications enabled' };
    const outcome = { kind: 'refused', error: { code: 'invalid_request', description: said.error_description } };
    expect(start(400, said, 'auth0')).toEqual({ ...outcome, means: 'unknown_user_id' });
    expect(start(400, said)).toEqual(outcome);
    expect(start(400, { error: 'invalid_request', error_description: 'bad scope' }, 'auth0')).not.toHaveProperty(
      'means',
    );
  });

  it('Keycloak: invalid_request "invalid user" means an unknown user (Q11)', () => {
    const said = { error: 'invalid_request', error_description: 'invalid user' };
    expect(start(400, said, 'keycloak')).toMatchObject({
      error: { code: 'invalid_request' },
      means: 'unknown_user_id',
    });
    const other = { error: 'invalid_request', error_description: 'invalid user code parameter' };
    expect(start(400, other, 'keycloak')).not.toHaveProperty('means');
  });

  it('Auth0 at one of its limits: nobody was asked, and the wait is named (Q7)', () => {
    const said = answer(429, { error: 'too_many_requests' }, '60');
    expect(readStartAnswer(said, now)).toMatchObject({ kind: 'not-accepted', retryAfterSeconds: 60 });
  });

  it('Keycloak, oidc-provider and others without an interval: 5 s (Q18)', () => {
    expect(start(200, acknowledgement)).toMatchObject({ kind: 'acknowledged', intervalSeconds: 5 });
  });

  it.each([
    [0, 5],
    ['7', 7],
    [-1, 5],
    ['soon', 5],
    [2.5, 3],
  ])('whoever sends the interval %j: %i s (Q40)', (interval, intervalSeconds) => {
    expect(start(200, { ...acknowledgement, interval })).toMatchObject({ kind: 'acknowledged', intervalSeconds });
  });

  it('WSO2 with a link to deliver: the link is no business of ours (Q24)', () => {
    const said = { ...acknowledgement, interval: 2, auth_url: 'https://op.example/ciba?x=1' };
    expect(start(200, said)).toEqual({
      kind: 'acknowledged',
      authReqId: 'id-1',
      expiresInSeconds: 120,
      intervalSeconds: 2,
    });
  });

  it.each([
    ['invalid_request', 'cidaas without CIBA'],
    ['access_denied', 'CAMARA'],
    ['unauthorized_client', 'anybody'],
  ])('403 with %s (%s): the code decides, not the status (Q26)', (error) => {
    expect(start(403, { error })).toEqual({ kind: 'refused', error: { code: error, description: null } });
  });

  it('Keycloak whose device channel fails: 503 without Retry-After is the provider’s own trouble (Q27)', () => {
    expect(start(503, { error: 'server_error' })).toMatchObject({ kind: 'provider-error' });
  });

  it.each([
    ['Keycloak, a long JWE', `eyJ.${'x'.repeat(2000)}.y.z.w`],
    ['Auth0, as it were a JWT', 'eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJ4In0.c2ln'],
    ['the certification suite, beyond the safe alphabet', "a+b/c=d&e%f g~h'i(j)*k!"],
  ])('%s: the auth_req_id is kept byte for byte (Q28)', (_who, authReqId) => {
    expect(start(200, { ...acknowledgement, auth_req_id: authReqId })).toMatchObject({ authReqId });
  });
});

describe('the token answer of', () => {
  const read = (status: number, body: object, retryAfter: string | null = null) =>
    readTokenAnswer(answer(status, body, retryAfter), now);

  it('Auth0 to a hasty poll: Retry-After and interval are both read (Q3)', () => {
    expect(read(400, { error: 'slow_down', interval: 20 }, '30')).toEqual({
      kind: 'slow-down',
      retryAfterSeconds: 30,
      intervalSeconds: 20,
    });
  });

  it.each([
    [403, 'access_denied', 'denied'],
    [401, 'authorization_pending', 'pending'],
    [403, 'expired_token', 'expired'],
    [429, 'slow_down', 'slow-down'],
  ])('whoever answers %i with %s: %s (Q26)', (status, error, kind) => {
    expect(read(status, { error }).kind).toBe(kind);
  });

  it('Keycloak: an account that is not set up, and a scope that is gone, end the request (Q29)', () => {
    const said = { error: 'invalid_grant', error_description: 'Account is not fully set up' };
    expect(read(400, said)).toEqual({ kind: 'invalid-grant', description: 'Account is not fully set up' });
    expect(read(400, { error: 'invalid_scope' }).kind).toBe('refused');
  });

  it('WSO2 to a second redemption: invalid_request, and nothing is asked again (Q23)', () => {
    expect(read(400, { error: 'invalid_request' })).toEqual({
      kind: 'refused',
      error: { code: 'invalid_request', description: null },
    });
  });

  it('Abblix for an id that it does not know: expired (Q25)', () => {
    expect(read(400, { error: 'expired_token' })).toEqual({ kind: 'expired' });
  });
});

describe('the profile', () => {
  const limits = (name: keyof typeof providerProfiles) => bindingMessageLimits(name);
  const takes = (name: keyof typeof providerProfiles, text: string) =>
    [...text].every((character) => limits(name).alphabet!.test(character)) && text.length <= limits(name).maxLength;

  it('auth0 demands a binding message of 64 characters from its alphabet, without spaces (Q5)', () => {
    expect(limits('auth0')).toMatchObject({ maxLength: 64, required: true });
    expect(takes('auth0', 'Pay:10.00,ref#4+1-2_x')).toBe(true);
    expect(takes('auth0', 'Pay 10')).toBe(false);
    expect(takes('auth0', 'Pay/10')).toBe(false);
  });

  it('keycloak takes 50 characters without spaces (Q8)', () => {
    expect(takes('keycloak', `${'a'.repeat(42)}-._+/!?#`)).toBe(true);
    expect(takes('keycloak', 'a'.repeat(51))).toBe(false);
    expect(takes('keycloak', 'a b')).toBe(false);
  });

  it('knows the lengths of the others: oidc-provider 20, duende 100, curity 10,000 (Q9)', () => {
    const lengths = (['oidc-provider', 'duende', 'curity'] as const).map((name) => limits(name).maxLength);
    expect(lengths).toEqual([20, 100, 10_000]);
    expect(takes('oidc-provider', 'Pay 10')).toBe(false);
    expect(takes('duende', 'Pay 10 €')).toBe(true);
  });

  it.each(['pingone', 'auth0', 'okta', 'camara'] as const)('%s delivers by poll only (Q33)', (name) => {
    expect(providerProfiles[name].deliveryModes).toEqual(['poll']);
  });
});
