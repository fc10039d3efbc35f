import { setTimeout as pause } from 'node:timers/promises';
import { isUnavailable, type Database } from '#lib/persistence';

const tryAgainMs = 500;

/** What makes the keys that are not there yet. */
export interface KeyStores {
  readonly signingKeys: Pick<Database['signingKeys'], 'ensure'>;
  readonly encryptionKeys: Pick<Database['encryptionKeys'], 'ensure'>;
}

/**
 * Sees to it that our keys are there. A database that goes away between its opening and this is waited for, as it was at
 * its opening.
 *
 * @throws whatever is not a matter of time, and the signal's reason when it aborts
 */
export async function ensureKeys({ signingKeys, encryptionKeys }: KeyStores, signal?: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await Promise.all([signingKeys.ensure(), encryptionKeys.ensure()]);
      return;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
    await pause(tryAgainMs, undefined, signal && { signal });
  }
}
