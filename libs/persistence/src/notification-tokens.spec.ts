import { describe, expect, it } from '@jest/globals';
import { NotificationTokens } from './notification-tokens.js';
import { generateMasterKey, Sealing } from './sealing.js';

const [first, second] = [generateMasterKey(), generateMasterKey().replace('k1', 'k2')];
const tokensOf = (...keys: string[]) => new NotificationTokens(Sealing.parse(keys.join(',')));
const tokens = tokensOf(first);

describe('a notification token', () => {
  it('has 256 bits and a mark, in the characters of a bearer token, and is never used again (R17)', () => {
    const issued = Array.from({ length: 1000 }, () => tokens.issue());
    expect(new Set(issued.map((token) => token.slice(0, 43))).size).toBe(1000);
    for (const token of issued) {
      expect(token).toMatch(/^[A-Za-z0-9_-]{64}$/);
      expect(tokens.isOurs(token)).toBe(true);
    }
  });

  it('is known by every process that has the key, before and after the key is changed', () => {
    const old = tokens.issue();
    expect(tokensOf(first).isOurs(old)).toBe(true);
    expect(tokensOf(second, first).isOurs(old)).toBe(true);
    expect(tokensOf(first, second).isOurs(tokensOf(second, first).issue())).toBe(true);
    expect(tokensOf(second).isOurs(old)).toBe(false);
  });

  it('is not ours when a single bit of it was changed', () => {
    const bytes = Buffer.from(tokens.issue(), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(tokens.isOurs(changed.toString('base64url'))).toBe(false);
    }
  });

  it.each(['', 'x', 'a'.repeat(43), 'a'.repeat(64), 'a'.repeat(63), `${'a'.repeat(63)}+`, `${'a'.repeat(60)}====`])(
    'is not ours when it is made up: "%s"',
    (token) => expect(tokens.isOurs(token)).toBe(false),
  );

  it('is ours in the spelling that was issued only', () => {
    const token = tokens.issue();
    for (const other of [`${token}=`, ` ${token}`, token.slice(0, -1), `${token}A`]) {
      expect(tokens.isOurs(other)).toBe(false);
    }
  });
});
