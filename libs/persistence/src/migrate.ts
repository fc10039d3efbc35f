import type { PersistenceLog } from './log.js';

/** Brings the schema up to date under an advisory lock; answers the names of the migrations that ran. */
export async function migrate(_url: string, _log?: PersistenceLog): Promise<string[]> {
  throw new Error('not built yet');
}
