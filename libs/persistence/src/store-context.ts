import type { DataSource, EntityManager } from 'typeorm';
import type { PersistenceLog } from './log.js';
import type { LookupKey } from './lookup-key.js';
import { repeatRolledBack } from './repeat-rolled-back.js';
import type { Sealing } from './sealing.js';
import type { Sql } from './sql.js';
import type { StoredEvent } from './stored-event.js';

/** What every store works with. */
export interface StoreContext {
  readonly sql: Sql;
  /** For the administered tables; hot paths go through `sql`. */
  readonly dataSource: DataSource;
  readonly sealing: Sealing;
  readonly lookup: LookupKey;
  /** CloudEvents `source` of this process. */
  readonly source: string;
  readonly log: PersistenceLog;
  /** Tells of events whose commit is done. */
  readonly committed: (events: readonly StoredEvent[]) => void;
}

/** A transaction of the administered tables; `work` may run several times, and has no effect but in the transaction. */
export const inTransaction = <Result>(
  { dataSource }: Pick<StoreContext, 'dataSource'>,
  work: (manager: EntityManager) => Promise<Result>,
): Promise<Result> => repeatRolledBack(() => dataSource.transaction(work));
