import type { StoreContext } from '../store-context.js';
import { rejectionHandlersTable, type RejectionHandlerColumns } from '../tables/rejection-handlers.table.js';
import type { OwnColumns } from './admin-table.js';
import type {
  DeleteResult,
  RejectionHandlerRow,
  RejectionHandlerStore,
  RejectionHandlerValue,
  UpdateResult,
} from './admin.types.js';
import { TypeormAdminStore } from './typeorm-admin.store.js';

/** Rejection handlers. The predefined ones stay as they are: decisions fall back to them. */
export class TypeormRejectionHandlerStore
  extends TypeormAdminStore<RejectionHandlerColumns, RejectionHandlerRow, RejectionHandlerValue, RejectionHandlerValue>
  implements RejectionHandlerStore
{
  constructor(context: StoreContext) {
    super(context, { schema: rejectionHandlersTable, nameColumn: 'name', referable: 'rejectionHandler' });
  }

  override async update(
    id: string,
    expectedVersion: number | null,
    value: RejectionHandlerValue,
  ): Promise<UpdateResult<RejectionHandlerRow>> {
    return (await this.isPredefined(id)) ? { kind: 'predefined' } : super.update(id, expectedVersion, value);
  }

  override async delete(id: string, expectedVersion: number | null): Promise<DeleteResult<RejectionHandlerRow>> {
    return (await this.isPredefined(id)) ? { kind: 'predefined' } : super.delete(id, expectedVersion);
  }

  protected toRow(columns: RejectionHandlerColumns): RejectionHandlerRow {
    return columns;
  }

  protected newColumns(_id: string, value: RejectionHandlerValue): OwnColumns<RejectionHandlerColumns> {
    return { ...this.changedColumns(_id, value), predefined: false };
  }

  protected changedColumns(_id: string, { name, definition }: RejectionHandlerValue) {
    return { name, definition };
  }

  private async isPredefined(id: string): Promise<boolean> {
    return (await this.find(id))?.predefined === true;
  }
}
