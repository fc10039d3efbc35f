import { describe, expect, it } from '@jest/globals';
import { deliveryDelaysSeconds, longestRetryAfterSeconds } from '#lib/domain';
import { readAnswer, retryAfterSeconds, settle, type Answer } from './answer.js';

const now = new Date('2026-03-01T12:00:00.000Z');

describe('an answer', () => {
  it.each([
    [200, null],
    [201, null],
    [204, null],
    [299, null],
    [301, 'answered 301: redirects are not followed'],
    [302, 'answered 302: redirects are not followed'],
    [304, 'answered 304: redirects are not followed'],
    [307, 'answered 307: redirects are not followed'],
    [400, 'answered 400'],
    [404, 'answered 404'],
    [410, 'answered 410: gone'],
    [429, 'answered 429'],
    [500, 'answered 500'],
    [503, 'answered 503'],
    [600, 'answered 600'],
  ])('%i: %s', (status, problem) => {
    expect(readAnswer(status, undefined, now)).toEqual({ status, problem, retryAfterSeconds: null });
  });

  it.each([
    [429, 60],
    [503, 60],
    [500, null],
    [302, null],
  ])('%i with Retry-After asks for %s', (status, expected) => {
    expect(readAnswer(status, '60', now).retryAfterSeconds).toBe(expected);
  });
});

describe('Retry-After', () => {
  it.each([
    [undefined, null],
    ['60', 60],
    [' 60 ', 60],
    ['0', 0],
    ['Sun, 01 Mar 2026 12:01:00 GMT', 60],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['', null],
    ['1e9', null],
    ['9'.repeat(40), null],
    ['2026', 2026],
    ['not a date GMT', null],
  ])('%j means %s s', (value, expected) => {
    expect(retryAfterSeconds(value, now)).toBe(expected);
  });
});

describe('what becomes of a delivery', () => {
  const failed = (over: Partial<Answer> = {}): Answer => ({
    status: 500,
    problem: 'answered 500',
    retryAfterSeconds: null,
    ...over,
  });

  it('is done when it arrived, also at the last attempt', () => {
    const arrived: Answer = { status: 204, problem: null, retryAfterSeconds: null };

    expect(settle(arrived, 0, 0)).toBe('delivered');
    expect(settle(arrived, 9, 0)).toBe('delivered');
  });

  it('is tried again after five seconds, whatever went wrong', () => {
    for (const answer of [failed(), failed({ status: 302 }), failed({ status: null })]) {
      expect(settle(answer, 0, 0.9)).toEqual({ retryInSeconds: 5 });
    }
  });

  it('waits as long as the receiver asks, within a day', () => {
    expect(settle(failed({ status: 429, retryAfterSeconds: 90 }), 0, 0)).toEqual({ retryInSeconds: 90 });
    expect(settle(failed({ status: 429, retryAfterSeconds: 10 ** 9 }), 0, 0)).toEqual({
      retryInSeconds: longestRetryAfterSeconds,
    });
  });

  it('is exhausted after the last step of the schedule', () => {
    const last = deliveryDelaysSeconds.length;

    expect(settle(failed(), last - 1, 0)).toEqual({ retryInSeconds: deliveryDelaysSeconds[last - 1] });
    expect(settle(failed(), last, 0)).toBe('exhausted');
  });

  it('is not tried again when the receiver is gone', () => {
    expect(settle(failed({ status: 410, problem: 'answered 410: gone' }), 0, 0)).toBe('gone');
  });
});
