import { createHash } from 'node:crypto';
import { canonicalJson, type Attributes } from '#lib/domain';

/** What a person is asked to approve. */
export interface WhatIsAsked {
  readonly ruleId: string;
  readonly ruleVersion: number;
  readonly attributes: Attributes;
  readonly bindingMessage: string | null;
}

/** Base64url SHA-256 of the canonical JSON of what is asked: decision and receipt carry it. */
export const requestHash = ({ ruleId, ruleVersion, attributes, bindingMessage }: WhatIsAsked): string =>
  sha256(canonicalJson({ ruleId, ruleVersion, attributes, bindingMessage })).toString('base64url');

/** What tells a repeated body from another one under the same idempotency key. */
export const bodyHash = (body: unknown): Buffer => sha256(canonicalJson(body));

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
