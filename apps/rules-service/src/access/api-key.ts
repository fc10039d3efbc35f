import { createHash, randomBytes } from 'node:crypto';

/** Digest under which a key is kept and looked up; a key has 256 random bits, so no slow hash is needed. */
export const hashOfKey = (key: string): Buffer => createHash('sha256').update(key).digest();

/** A new API key. */
export const newApiKey = (): string => `assent_${randomBytes(32).toString('base64url')}`;

/** True for what `newApiKey` makes; nothing else is worth a look into the database. */
export const looksLikeApiKey = (text: string): boolean => /^assent_[\w-]{43}$/.test(text);

/** The characters that tell keys apart in a list; 4 of 43 random ones. */
export const prefixOfKey = (key: string): string => key.slice(0, 'assent_'.length + 4);

/** A new secret for Standard Webhooks. */
export const newWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
