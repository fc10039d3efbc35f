import { describe, expect, it } from '@jest/globals';
import { newNotificationToken } from './notification-token.js';

describe('a notification token', () => {
  it('has 256 bits, in the characters of a bearer token, and is never used again (R17)', () => {
    const tokens = Array.from({ length: 1000 }, () => newNotificationToken());
    expect(new Set(tokens).size).toBe(1000);
    for (const token of tokens) {
      expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    }
  });
});
