import type { DataSource } from 'typeorm';
import type { Sealing } from './sealing.js';
import type { Sql } from './sql.js';
import type { StoredEvent } from './stored-event.js';

/** What every store works with. */
export interface StoreContext {
  readonly sql: Sql;
  /** For the administered tables; hot paths go through `sql`. */
  readonly dataSource: DataSource;
  readonly sealing: Sealing;
  /** CloudEvents `source` of this process. */
  readonly source: string;
  /** Tells of events whose commit is done. */
  readonly committed: (events: readonly StoredEvent[]) => void;
}
