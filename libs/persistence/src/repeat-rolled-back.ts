import { setTimeout as pause } from 'node:timers/promises';
import { isContended } from './errors.js';

/** Attempts in all. */
const maxAttempts = 5;
/** Longest pause before the second attempt, in ms; it doubles from one attempt to the next. */
const firstPauseMs = 20;

/**
 * Does a whole transaction again when the server rolled it back for the sake of another one (deadlock, serialisation
 * failure). The pauses differ by chance, so that the two do not meet again. What fails for good is thrown.
 */
export async function repeatRolledBack<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === maxAttempts || !isContended(error)) throw error;
    }
    await pause(Math.random() * firstPauseMs * 2 ** (attempt - 1));
  }
}
