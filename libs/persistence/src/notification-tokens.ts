import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Sealing } from './sealing.js';

const secretBytes = 32;
const markBytes = 16;
/** Characters of both together, in base64url. */
const tokenLength = ((secretBytes + markBytes) * 4) / 3;

/**
 * Tokens with which a provider proves that a ping or push belongs to one start call (CIBA Core 1.0 §7.1): 256 random
 * bits as bearer-token characters, and a mark by which every process of this installation tells its own tokens from
 * made-up ones without asking the database.
 */
export class NotificationTokens {
  constructor(private readonly sealing: Sealing) {}

  /** A new one for every attempt; only its hash is stored. */
  issue(): string {
    const secret = randomBytes(secretBytes);
    const [activeKey] = this.sealing.derivedKeys('notification token');
    return Buffer.concat([secret, mark(activeKey!, secret)]).toString('base64url');
  }

  /** Whether this installation issued the token, under a master key that it still has. Compares in constant time. */
  isOurs(token: string): boolean {
    if (!/^[\w-]+$/.test(token) || token.length !== tokenLength) return false;
    const bytes = Buffer.from(token, 'base64url');
    const [secret, shown] = [bytes.subarray(0, secretBytes), bytes.subarray(secretBytes)];
    // All of them, so that the time does not tell which key it was.
    const fits = this.sealing.derivedKeys('notification token').map((key) => timingSafeEqual(mark(key, secret), shown));
    return fits.includes(true);
  }
}

const mark = (key: Buffer, secret: Buffer): Buffer =>
  createHmac('sha256', key).update(secret).digest().subarray(0, markBytes);
