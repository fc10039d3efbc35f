import { DatabaseBusy, InvalidCursor } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';

/** Awaits what the database does, and says in the API's terms what it refused. */
export async function inProblemTerms<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof InvalidCursor) {
      throw new ProblemError('invalid_cursor', 'This cursor was not made by this list. Start without one.');
    }
    if (error instanceof DatabaseBusy) {
      throw new ProblemError('busy', 'Too much work waits for the database. Try again in a moment.', {
        headers: { 'retry-after': '1' },
      });
    }
    throw error;
  }
}
