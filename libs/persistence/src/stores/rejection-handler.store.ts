import type { StoreContext } from '../store-context.js';
import { system, type Acting } from '../audit/acting.js';
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
    super(context, {
      schema: rejectionHandlersTable,
      audited: 'rejection-handler',
      nameColumn: 'name',
      referable: 'rejectionHandler',
    });
  }

  override async update(
    id: string,
    expectedVersion: number | null,
    value: RejectionHandlerValue,
    acting: Acting = system,
  ): Promise<UpdateResult<RejectionHandlerRow>> {
    if (await this.isPredefined(id, acting)) return { kind: 'predefined' };
    return super.update(id, expectedVersion, value, acting);
  }

  override async delete(
    id: string,
    expectedVersion: number | null,
    acting: Acting = system,
  ): Promise<DeleteResult<RejectionHandlerRow>> {
    if (await this.isPredefined(id, acting)) return { kind: 'predefined' };
    return super.delete(id, expectedVersion, acting);
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

  private async isPredefined(id: string, acting: Acting): Promise<boolean> {
    return (await this.find(id, acting))?.predefined === true;
  }
}
