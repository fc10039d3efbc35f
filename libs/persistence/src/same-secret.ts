import { timingSafeEqual } from 'node:crypto';
import { sha256 } from './sealing.js';

/** Whether both are the same secret, in a time that tells nothing of either; null is no secret. */
export const sameSecret = (one: string | null, other: string): boolean =>
  one !== null && timingSafeEqual(sha256(one), sha256(other));
