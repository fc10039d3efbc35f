import { describe, expect, it } from '@jest/globals';
import { providerProfiles } from './provider-profiles.js';
import { readStartAnswer } from './start-answer.js';

const now = new Date('2026-03-01T12:00:00Z');
const refused = (error: string, status = 400, description: string | null = null) => ({
  status,
  retryAfter: null,
  body: new Map(Object.entries({ error, ...(description !== null && { error_description: description }) })),
});
const unreadable = (status: number, retryAfter: string | null = null) => ({ status, retryAfter, body: null });

describe('an error of the backchannel endpoint', () => {
  it.each([
    ['invalid_request', 400],
    ['invalid_scope', 400],
    ['expired_login_hint_token', 400],
    ['unknown_user_id', 400],
    ['unauthorized_client', 400],
    ['missing_user_code', 400],
    ['invalid_user_code', 400],
    ['invalid_binding_message', 400],
    ['invalid_client', 401],
    ['access_denied', 403],
  ])('%s with %i is kept apart from all others (R100)', (code, status) => {
    expect(readStartAnswer(refused(code, status), now)).toEqual({
      kind: 'refused',
      error: { code, description: null },
    });
  });

  it.each(['invalid_request_object', 'invalid_authorization_details', 'invalid_target'])(
    '%s means that nobody is asked, whatever the status is (R101)',
    (code) => {
      for (const status of [400, 403, 500]) {
        expect(readStartAnswer(refused(code, status), now)).toMatchObject({ kind: 'refused', error: { code } });
      }
    },
  );

  it.each(['server_error', 'temporarily_unavailable'])('%s is the trouble of the provider (R101, Q27)', (code) => {
    expect(readStartAnswer(refused(code, 503), now).kind).toBe('provider-error');
    expect(readStartAnswer(refused(code, 400), now).kind).toBe('provider-error');
    expect(readStartAnswer({ ...refused(code, 503), retryAfter: '2' }, now)).toMatchObject({
      kind: 'not-accepted',
      retryAfterSeconds: 2,
    });
  });

  it.each([
    [400, null, 'provider-error'],
    [403, null, 'provider-error'],
    [500, null, 'provider-error'],
    [503, null, 'provider-error'],
    [503, '7', 'not-accepted'],
    [429, null, 'not-accepted'],
    [502, null, 'unknown'],
    [504, null, 'unknown'],
  ])('that nobody can read counts by its status: %i, Retry-After %s: %s (R106)', (status, retryAfter, kind) => {
    expect(readStartAnswer(unreadable(status, retryAfter), now).kind).toBe(kind);
  });

  it.each([
    ['keycloak', 'invalid user', 'unknown_user_id'],
    ['keycloak', 'invalid user code', undefined],
    ['keycloak', 'Invalid parameter: binding_message', undefined],
    ['auth0', 'The user does not have push notifications', 'unknown_user_id'],
    ['auth0', 'login_hint is malformed', undefined],
    ['generic', 'invalid user', undefined],
  ] as const)('invalid_request of %s with "%s" means %s (Q6, Q11)', (profile, description, means) => {
    const { startErrors } = providerProfiles[profile];
    expect(readStartAnswer(refused('invalid_request', 400, description), now, startErrors)).toEqual({
      kind: 'refused',
      error: { code: 'invalid_request', description },
      ...(means !== undefined && { means }),
    });
  });
});
