import { describe, expect, it } from '@jest/globals';
import { readNotification, readPushedAnswer, type PushedAnswer } from './notification.js';

const pushOf = (body: object): PushedAnswer | null => {
  const notification = readNotification(JSON.stringify({ auth_req_id: 'id-1', ...body }));
  if (notification === null) throw new Error('unreadable');
  return readPushedAnswer(notification);
};

describe('the body of a notification', () => {
  it('names its request, byte for byte, whatever else is in it (R75)', () => {
    expect(readNotification('{"auth_req_id":"ä ~/+=","x":{"y":[1]}}')?.authReqId).toBe('ä ~/+=');
  });

  it.each([
    '',
    '{',
    '[]',
    'null',
    '"id-1"',
    '{}',
    '{"auth_req_id":""}',
    '{"auth_req_id":" "}',
    '{"auth_req_id":["id-1"]}',
    '{"auth_req_id":"a\\u0007"}',
    '{"auth_req_id":"a","auth_req_id":"a"}',
  ])('cannot be %j (R75)', (text) => {
    expect(readNotification(text)).toBeNull();
  });
});

describe('what is pushed', () => {
  it('may be tokens (R83)', () => {
    const tokens = { access_token: 'at', token_type: 'Bearer', expires_in: 60, id_token: 'a.b.c', refresh_token: 'rt' };
    expect(pushOf(tokens)).toEqual({
      kind: 'tokens',
      answer: {
        accessToken: 'at',
        tokenType: 'Bearer',
        expiresInSeconds: 60,
        scope: null,
        idToken: 'a.b.c',
        refreshToken: 'rt',
        authorizationDetails: null,
      },
    });
  });

  it.each<[string, PushedAnswer]>([
    ['access_denied', { kind: 'denied', error: { code: 'access_denied', description: 'because' } }],
    ['expired_token', { kind: 'expired' }],
    ['transaction_failed', { kind: 'failed', error: { code: 'transaction_failed', description: 'because' } }],
    ['anything_else', { kind: 'failed', error: { code: 'anything_else', description: 'because' } }],
  ])('may be the error %s (R85)', (error, expected) => {
    expect(pushOf({ error, error_description: 'because' })).toEqual(expected);
  });

  it.each([
    {},
    { error: '' },
    { error: null },
    { error: 'access_denied', id_token: 'a.b.c' },
    { token_type: 'Bearer' },
  ])('is no result when it is %j', (body) => {
    expect(pushOf(body)).toBeNull();
  });
});
