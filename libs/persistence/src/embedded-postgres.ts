import type { PersistenceLog } from './log.js';

/** Another live run uses the data directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
}

export interface EmbeddedPostgresOptions {
  readonly dir: string;
  /** Chosen free below 32768, and remembered in `dir`, unless given. */
  readonly port?: number | undefined;
  readonly log?: PersistenceLog | undefined;
}

export interface EmbeddedPostgres {
  readonly url: string;
  readonly pid: number;
  /** True when a server that had outlived its owner was taken over. */
  readonly adopted: boolean;
  stop(): Promise<void>;
}

export async function startEmbeddedPostgres(_options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  throw new Error('not built yet');
}
