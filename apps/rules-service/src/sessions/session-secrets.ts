import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CodeLoginSecrets } from '#lib/ciba';

/** What a cookie holds: 256 random bits. */
export const newCookieSecret = (): string => randomBytes(32).toString('base64url');

/** True for what `newCookieSecret` makes; nothing else is worth a look into the database. */
export const looksLikeCookieSecret = (text: string): boolean => /^[\w-]{43}$/.test(text);

/** Under which a cookie's secret is kept and looked up; 256 random bits need no slow hash. */
export const hashOfSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

// What follows from a secret says nothing about it, and need not be kept.
const derived = (secret: string, purpose: string): string =>
  createHmac('sha256', secret).update(purpose).digest('base64url');

/** The token that calls of a session carry beside its cookie: no other site can read it, and no other session has it. */
export const csrfTokenOf = (secret: string): string => derived(secret, 'csrf');

/** In constant time. */
export function isCsrfTokenOf(secret: string, token: unknown): boolean {
  if (typeof token !== 'string') return false;
  return timingSafeEqual(hashOfSecret(token), hashOfSecret(csrfTokenOf(secret)));
}

/** What a login at the OpenID Provider is bound to: to the browser that holds the cookie. */
export const loginSecretsOf = (secret: string): CodeLoginSecrets => ({
  state: derived(secret, 'state'),
  nonce: derived(secret, 'nonce'),
  codeVerifier: derived(secret, 'code verifier'),
});
