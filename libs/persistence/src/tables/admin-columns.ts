import type { EntitySchemaColumnOptions } from 'typeorm';

/** The columns that every administered table has. */
export interface AdminColumns {
  id: string;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

export const adminColumns = {
  id: { type: 'uuid', primary: true },
  version: { type: 'integer' },
  createdAt: { type: 'timestamptz', name: 'created_at' },
  updatedAt: { type: 'timestamptz', name: 'updated_at' },
} as const satisfies Record<string, EntitySchemaColumnOptions>;
