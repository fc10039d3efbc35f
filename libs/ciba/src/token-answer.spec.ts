import { describe, expect, it } from '@jest/globals';
import { parseJsonObject } from './strict-json.js';
import { readTokenAnswer } from './token-answer.js';

describe('the lifetime of an access token', () => {
  it.each([
    ['300', 300],
    ['"300"', 300],
    ['0', 0],
    ['299.5', 299.5],
    ['-1', null],
    ['"300s"', null],
    ['null', null],
    ['[300]', null],
    ['1e400', null],
    // A year: beyond the year 9999 a time could not be stored.
    ['253402300800', 31_536_000],
    ['1e300', 31_536_000],
  ])('sent as %s is read as %p', (expiresIn, expected) => {
    const body = parseJsonObject(`{"access_token":"at","token_type":"Bearer","expires_in":${expiresIn}}`);

    expect(readTokenAnswer({ status: 200, retryAfter: null, body }, new Date())).toMatchObject({
      kind: 'tokens',
      answer: { expiresInSeconds: expected },
    });
  });
});
