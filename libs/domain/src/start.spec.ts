import { describe, expect, it } from '@jest/globals';
import { adjustStart, refusedStart, startRetryDelayMs, startRetryWindowSeconds } from './start.js';

describe('an error of the start call (R100)', () => {
  it.each([
    ['invalid_client', 'configuration_error'],
    ['unauthorized_client', 'configuration_error'],
    ['invalid_request', 'provider_rejected'],
    ['invalid_scope', 'provider_rejected'],
    ['invalid_binding_message', 'provider_rejected'],
    ['missing_user_code', 'provider_rejected'],
    ['invalid_user_code', 'provider_rejected'],
    ['expired_login_hint_token', 'provider_rejected'],
    ['invalid_request_object', 'provider_rejected'],
    ['invalid_authorization_details', 'provider_rejected'],
    ['invalid_target', 'provider_rejected'],
    ['some_new_code', 'provider_rejected'],
    ['', 'provider_rejected'],
    ['constructor', 'provider_rejected'],
    ['__proto__', 'provider_rejected'],
    ['ACCESS_DENIED', 'provider_rejected'],
  ])('%s ends the request as failed: %s (R100, R103)', (code, reason) => {
    const error = { code, description: 'why' };

    expect(refusedStart('attempt', error)).toEqual({
      type: 'fail-start',
      attemptId: 'attempt',
      reason,
      providerError: error,
    });
  });

  it.each([
    ['unknown_user_id', 'alice@example.com does not exist', undefined],
    ['unknown_user_id', null, undefined],
    ['invalid_request', 'invalid user', 'unknown_user_id'],
    ['invalid_request', 'the user has no push notifications', 'unknown_user_id'],
  ])('%s "%s" for somebody who cannot be asked looks like any other (R103, Q6, Q11)', (code, description, means) => {
    expect(refusedStart('attempt', { code, description }, means)).toEqual({
      type: 'fail-start',
      attemptId: 'attempt',
      reason: 'unknown_user',
      providerError: { code: 'unknown_user_id', description: null },
    });
  });

  it('access_denied is a denial by policy, before anybody was asked (R102)', () => {
    const error = { code: 'access_denied', description: null };

    expect(refusedStart('attempt', error)).toEqual({
      type: 'refuse-start',
      attemptId: 'attempt',
      providerError: error,
    });
  });
});

describe('trying the start call again', () => {
  const windowMs = startRetryWindowSeconds * 1000;

  it.each([
    ['the first time', 1, 0, null, 500],
    ['the second', 2, 600, null, 1000],
    ['the fourth', 4, 4_000, null, 4000],
    ['never waiting more than 8 s', 9, 9_000, null, 8000],
    ['the provider asks for longer', 1, 0, 7, 7000],
    ['the provider asks for less', 4, 0, 1, 4000],
    ['exactly at the end of the window', 1, windowMs - 500, null, 500],
    ['a moment too late', 1, windowMs - 499, null, null],
    ['the provider asks for more than the window', 1, 0, 31, null],
  ])('%s', (_, attempt, elapsedMs, retryAfterSeconds, expected) => {
    expect(startRetryDelayMs(attempt, elapsedMs, retryAfterSeconds)).toBe(expected);
  });

  it('comes to an end within the window', () => {
    let elapsedMs = 0;
    let attempt = 1;
    for (let delay: number | null; (delay = startRetryDelayMs(attempt, elapsedMs, null)) !== null; attempt += 1) {
      elapsedMs += delay;
    }

    expect(elapsedMs).toBeLessThanOrEqual(windowMs);
    expect(attempt).toBeGreaterThan(3);
  });
});

describe('what a refused start call is changed in', () => {
  const asked = { requestedExpirySeconds: 600, bindingMessage: 'Pay 25 € now' };
  const picky = { refusesExpiry: true };

  it('is its lifetime, where that may be what was refused (R105, Q14)', () => {
    expect(adjustStart('invalid_request', asked, picky)).toEqual({ kind: 'without-expiry' });
    expect(adjustStart('invalid_request', asked, { refusesExpiry: false })).toBeNull();
    expect(adjustStart('invalid_request', { ...asked, requestedExpirySeconds: null }, picky)).toBeNull();
  });

  it('is its text, where a plainer one is left (R104)', () => {
    const plain = { kind: 'other-text', bindingMessage: 'Pay-25---now' };
    expect(adjustStart('invalid_binding_message', asked, picky)).toEqual(plain);
    expect(
      adjustStart('invalid_binding_message', { ...asked, bindingMessage: plain.bindingMessage }, picky),
    ).toBeNull();
    expect(adjustStart('invalid_binding_message', { ...asked, bindingMessage: null }, picky)).toBeNull();
  });

  it.each(['unknown_user_id', 'invalid_scope', 'access_denied', 'invalid_client', 'anything'])(
    'is nothing for %s',
    (code) => {
      expect(adjustStart(code, asked, picky)).toBeNull();
    },
  );
});
