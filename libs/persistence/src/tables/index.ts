import { apiClientsTable } from './api-clients.table.js';
import { keyPairsTable } from './key-pairs.table.js';
import { rejectionHandlersTable } from './rejection-handlers.table.js';
import { ruleVersionsTable, rulesTable } from './rules.table.js';
import { tokenProvidersTable } from './token-providers.table.js';
import { webhookEndpointsTable } from './webhook-endpoints.table.js';

/** The tables that TypeORM reads and writes; the hot paths speak SQL. */
export const tables = [
  apiClientsTable,
  keyPairsTable,
  rejectionHandlersTable,
  rulesTable,
  ruleVersionsTable,
  tokenProvidersTable,
  webhookEndpointsTable,
];
