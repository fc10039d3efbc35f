import type { RejectionHandlerDefinition } from '#lib/domain';
import { EntitySchema } from 'typeorm';
import { adminColumns, type AdminColumns } from './admin-columns.js';

export interface RejectionHandlerColumns extends AdminColumns {
  name: string;
  predefined: boolean;
  definition: RejectionHandlerDefinition;
}

export const rejectionHandlersTable = new EntitySchema<RejectionHandlerColumns>({
  name: 'rejection_handlers',
  tableName: 'rejection_handlers',
  columns: {
    ...adminColumns,
    name: { type: 'text' },
    predefined: { type: 'boolean' },
    definition: { type: 'json' },
  },
});
