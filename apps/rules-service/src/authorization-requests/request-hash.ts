import { createHash } from 'node:crypto';
import { askedText, canonicalJson, type WhatIsAsked } from '#lib/domain';

/** Base64url SHA-256 of the canonical JSON of what is asked: decision and receipt carry it. */
export const requestHash = (asked: WhatIsAsked): string => sha256(askedText(asked)).toString('base64url');

/** What tells a repeated body from another one under the same idempotency key. */
export const bodyHash = (body: unknown): Buffer => sha256(canonicalJson(body));

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
