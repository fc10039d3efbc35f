import { describe, expect, it } from '@jest/globals';
import { findCanaries } from './support/canary-scan.js';

/** A scan that finds nothing proves something only when it would have found it. */

const secret = 'canary/with+odd signs="1" of alice';
const secrets = new Map([['a secret', secret]]);
const inside = (text: string): string => `{"level":30,"msg":"before ${text} after"}`;
const shifted = (length: number) => Buffer.from(`${'x'.repeat(length)}${secret} and more`);

describe('the scan for secrets', () => {
  it.each([
    ['raw', secret],
    ['json', JSON.stringify(secret)],
    ['url', encodeURIComponent(secret)],
    ['hex', Buffer.from(secret).toString('hex')],
    ['hex', Buffer.from(secret).toString('hex').toUpperCase()],
    ['hex', `\\x${shifted(1).toString('hex')}`],
    ['base64', Buffer.from(secret).toString('base64')],
    ['base64', shifted(1).toString('base64')],
    ['base64', shifted(2).toString('base64')],
    ['base64url', shifted(3).toString('base64url')],
    ['base64url', shifted(4).toString('base64url')],
    ['base64url', shifted(5).toString('base64url')],
  ])('bites on %s: %s', (_encoding, spelled) => {
    expect(findCanaries(inside(spelled), secrets)).not.toEqual([]);
  });

  it.each([secret.slice(1), secret.toUpperCase(), 'x'.repeat(2_000), ''])('is quiet about %s', (text) => {
    expect(findCanaries(inside(text), secrets)).toEqual([]);
  });
});
