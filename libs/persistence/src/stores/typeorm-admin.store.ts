import type { Page, PageQuery } from '#lib/contracts';
import type { EntityManager, EntitySchema } from 'typeorm';
import { v7 as uuid } from 'uuid';
import { system, within } from '../audit/acting.js';
import { auditChange } from '../audit/audit-change.js';
import type { Acting } from '../audit/acting.js';
import type { StoreContext } from '../store-context.js';
import type { AdminColumns } from '../tables/admin-columns.js';
import { AdminTable, brokenConstraint, type OwnColumns } from './admin-table.js';
import type { AdminRow, AdminStore, CreateResult, DeleteResult, UpdateResult } from './admin.types.js';
import { usersOf, type Referable } from './reference-users.js';

/** One kind of administered object in one table; subclasses say how values become columns, and columns rows. */
export abstract class TypeormAdminStore<
  Columns extends AdminColumns,
  Row extends AdminRow,
  New,
  Change,
> implements AdminStore<Row, New, Change> {
  protected readonly table: AdminTable<Columns>;

  constructor(
    protected readonly context: StoreContext,
    private readonly kind: {
      readonly schema: EntitySchema<Columns>;
      /** What it is called in the audit log. */
      readonly audited: string;
      /** The unique column that names an object. */
      readonly nameColumn: keyof Columns & string;
      /** Further members that are unique, by the constraint that says so. */
      readonly uniqueMembers?: Readonly<Record<string, string>>;
      /** Who may refer to such an object. */
      readonly referable: Referable | null;
    },
  ) {
    this.table = new AdminTable(context.dataSource, kind.schema);
  }

  protected abstract toRow(columns: Columns): Row;
  protected abstract newColumns(id: string, value: New): OwnColumns<Columns>;
  protected abstract changedColumns(id: string, value: Change): Partial<OwnColumns<Columns>>;

  /** What the audit log shows of an object; nothing secret. */
  protected auditView(row: Row): object {
    return row;
  }

  async create(value: New, acting: Acting = system): Promise<CreateResult<Row>> {
    const id = uuid();
    try {
      const row = await within(this.context, acting, async (manager) => {
        const columns = this.newColumns(id, value);
        const created = this.toRow(await this.table.insert(id, columns, manager));
        await this.audit(manager, acting, { before: null, after: created, columns });
        return created;
      });
      return { kind: 'created', row };
    } catch (error) {
      const taken = this.takenName(error);
      if (taken !== null) return taken;
      throw error;
    }
  }

  async find(id: string, { within: given }: Acting = system): Promise<Row | null> {
    return this.orNull(await this.table.find(id, given?.manager));
  }

  async findByName(name: string, { within: given }: Acting = system): Promise<Row | null> {
    return this.orNull(await this.table.findBy(this.kind.nameColumn, name, given?.manager));
  }

  async list(query: PageQuery): Promise<Page<Row>> {
    const { data, nextCursor } = await this.table.list(query);
    return { data: data.map((columns) => this.toRow(columns)), nextCursor };
  }

  update(
    id: string,
    expectedVersion: number | null,
    value: Change,
    acting: Acting = system,
  ): Promise<UpdateResult<Row>> {
    return this.changed(id, expectedVersion, this.changedColumns(id, value), acting);
  }

  /** A change of some columns under an expected version. */
  protected async changed(
    id: string,
    expectedVersion: number | null,
    columns: Partial<OwnColumns<Columns>>,
    acting: Acting,
  ): Promise<UpdateResult<Row>> {
    try {
      return await within(this.context, acting, async (manager): Promise<UpdateResult<Row>> => {
        const held = await this.table.lock(id, manager);
        if (held === null) return { kind: 'not-found' };
        const before = this.toRow(held);
        const outcome = await this.table.change(id, expectedVersion, columns, manager);
        switch (outcome.kind) {
          case 'updated': {
            const row = this.toRow(outcome.row);
            await this.audit(manager, acting, { before, after: row, columns });
            return { kind: 'updated', row };
          }
          case 'version-mismatch':
            return { kind: 'version-mismatch', current: this.toRow(outcome.current) };
          case 'not-found':
            return outcome;
        }
      });
    } catch (error) {
      const taken = this.takenName(error);
      if (taken !== null) return taken;
      throw error;
    }
  }

  async delete(id: string, expectedVersion: number | null, acting: Acting = system): Promise<DeleteResult<Row>> {
    try {
      return await within(this.context, acting, (manager) => this.remove(manager, id, expectedVersion, acting));
    } catch (error) {
      // A rule that began to refer to it after we looked.
      if (brokenConstraint(error) !== null) {
        // In a transaction that was given nothing more can be looked at.
        const users = acting.within === undefined ? await this.users(this.context.dataSource.manager, id) : [];
        return { kind: 'in-use', users };
      }
      throw error;
    }
  }

  /** Deletes, and writes it down; what else goes with it is for subclasses. */
  protected async remove(
    manager: EntityManager,
    id: string,
    expectedVersion: number | null,
    acting: Acting,
  ): Promise<DeleteResult<Row>> {
    const held = await this.table.lock(id, manager);
    if (held === null) return { kind: 'not-found' };
    const current = this.toRow(held);
    if (expectedVersion !== null && current.version !== expectedVersion) return { kind: 'version-mismatch', current };
    const users = await this.users(manager, id);
    if (users.length > 0) return { kind: 'in-use', users };
    const outcome = await this.table.remove(id, expectedVersion, manager);
    if (outcome.kind === 'version-mismatch') return { ...outcome, current: this.toRow(outcome.current) };
    await this.audit(manager, acting, { before: current, after: null, columns: {} });
    return outcome;
  }

  protected orNull(columns: Columns | null): Row | null {
    return columns === null ? null : this.toRow(columns);
  }

  private audit(
    manager: EntityManager,
    acting: Acting,
    { before, after, columns }: { readonly before: Row | null; readonly after: Row | null; readonly columns: object },
  ): Promise<void> {
    const name = (row: Row) => {
      const members = row as Readonly<Record<string, unknown>>;
      return (members[this.kind.nameColumn] ?? members['url']) as string;
    };
    const { id, version } = (after ?? before)!;
    return auditChange(manager, acting, {
      resource: { type: this.kind.audited, id, name: name((after ?? before)!) },
      version,
      before: before && this.auditView(before),
      after: after && this.auditView(after),
      columns,
    });
  }

  private async users(manager: EntityManager, id: string) {
    return this.kind.referable === null ? [] : usersOf(manager, this.kind.referable, id);
  }

  private takenName(error: unknown): { kind: 'name-taken'; member?: string } | null {
    const { nameColumn, schema, uniqueMembers = {} } = this.kind;
    const constraint = brokenConstraint(error);
    if (constraint === null) return null;
    if (constraint === `${schema.options.tableName}__${nameColumn}_key`) return { kind: 'name-taken' };
    const member = uniqueMembers[constraint];
    return member === undefined ? null : { kind: 'name-taken', member };
  }
}
