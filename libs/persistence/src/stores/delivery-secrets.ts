import { nextDeliveryDelaySeconds } from '#lib/domain';
import { isSealed } from '../errors.js';
import type { SealPlace, Sealing } from '../sealing.js';
import type { DeliveryResult } from './work.types.js';

/** A secret to sign with; null when no configured master key opens it. */
export function openedSecret(sealing: Sealing, sealed: Buffer, place: SealPlace): string | null {
  try {
    return sealing.open(sealed, place);
  } catch (error) {
    if (isSealed(error)) return null;
    throw error;
  }
}

/** What does not open now may open when the right master key is configured again: tried by the schedule. */
export function putOff(id: string, failedAttempts: number): DeliveryResult {
  const retryInSeconds = nextDeliveryDelaySeconds(failedAttempts + 1, 0, null);
  return {
    id,
    at: new Date(),
    durationMs: 0,
    status: null,
    problem: 'the signing secret does not open; set it anew',
    outcome: retryInSeconds === null ? 'exhausted' : { retryInSeconds },
    ours: true,
  };
}
