import { randomBytes } from 'node:crypto';

/**
 * The token with which a provider proves that a ping or push belongs to one start call: 256 random bits as bearer-token
 * characters (CIBA Core 1.0 §7.1). A new one for every attempt; only its hash is stored.
 */
export const newNotificationToken = (): string => randomBytes(32).toString('base64url');
