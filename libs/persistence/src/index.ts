export type { Acting } from './audit/acting.js';
export type { AdminTransaction } from './audit/admin-transaction.js';
export type * from './audit/audit.types.js';
export type * from './console/console.types.js';
export { Database, type DatabaseOptions } from './database.js';
export { createDatabaseRoles, type DatabaseRoleOptions } from './database-roles/create-database-roles.js';
export { databaseServices, tablePrivileges, type DatabaseService } from './database-roles/privileges.js';
export { databaseRoles, roleName, type DatabaseRole } from './database-roles/role-statements.js';
export { DataDirectoryInUse } from './embedded-postgres/directory-lock.js';
export {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './embedded-postgres/start-embedded-postgres.js';
export {
  DatabaseBusy,
  InvalidCursor,
  isSealed,
  isUnavailable,
  MasterKeyMismatch,
  MissingRow,
  SealBroken,
  UnsafeDatabase,
} from './errors.js';
export { fitnessChecks, type FitnessCheck, type Unfitness } from './fitness.js';
export type { HousekeepingOptions, Retention } from './housekeeping.js';
export type { PersistenceLog } from './log.js';
export { migrate, type MigrateOptions } from './migrate.js';
export type { Outbox } from './outbox.types.js';
export type * from './requests/request.types.js';
export { generateMasterKey } from './sealing.js';
export type { StoredEvent } from './stored-event.js';
export type * from './stores/admin.types.js';
export type * from './stores/work.types.js';
