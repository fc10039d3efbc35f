import type { Page, PageQuery } from '#lib/contracts';
import type { EntitySchema } from 'typeorm';
import { v7 as uuid } from 'uuid';
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
      /** The unique column that names an object. */
      readonly nameColumn: (keyof Columns & string) | null;
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

  async create(value: New): Promise<CreateResult<Row>> {
    const id = uuid();
    try {
      return { kind: 'created', row: this.toRow(await this.table.insert(id, this.newColumns(id, value))) };
    } catch (error) {
      const taken = this.takenName(error);
      if (taken !== null) return taken;
      throw error;
    }
  }

  async find(id: string): Promise<Row | null> {
    return this.orNull(await this.table.find(id));
  }

  async findByName(name: string): Promise<Row | null> {
    return this.kind.nameColumn === null ? null : this.orNull(await this.table.findBy(this.kind.nameColumn, name));
  }

  async list(query: PageQuery): Promise<Page<Row>> {
    const { data, nextCursor } = await this.table.list(query);
    return { data: data.map((columns) => this.toRow(columns)), nextCursor };
  }

  update(id: string, expectedVersion: number | null, value: Change): Promise<UpdateResult<Row>> {
    return this.changed(id, expectedVersion, this.changedColumns(id, value));
  }

  /** A change of some columns under an expected version. */
  protected async changed(
    id: string,
    expectedVersion: number | null,
    columns: Partial<OwnColumns<Columns>>,
  ): Promise<UpdateResult<Row>> {
    try {
      const outcome = await this.table.change(id, expectedVersion, columns);
      switch (outcome.kind) {
        case 'updated':
          return { kind: 'updated', row: this.toRow(outcome.row) };
        case 'version-mismatch':
          return { kind: 'version-mismatch', current: this.toRow(outcome.current) };
        case 'not-found':
          return outcome;
      }
    } catch (error) {
      const taken = this.takenName(error);
      if (taken !== null) return taken;
      throw error;
    }
  }

  async delete(id: string, expectedVersion: number | null): Promise<DeleteResult<Row>> {
    const current = await this.find(id);
    if (current === null) return { kind: 'not-found' };
    if (expectedVersion !== null && current.version !== expectedVersion) return { kind: 'version-mismatch', current };
    const users = await this.users(id);
    if (users.length > 0) return { kind: 'in-use', users };
    try {
      const outcome = await this.table.remove(id, expectedVersion);
      return outcome.kind === 'version-mismatch' ? { ...outcome, current: this.toRow(outcome.current) } : outcome;
    } catch (error) {
      // A rule that began to refer to it after we looked.
      if (brokenConstraint(error) !== null) return { kind: 'in-use', users: await this.users(id) };
      throw error;
    }
  }

  protected orNull(columns: Columns | null): Row | null {
    return columns === null ? null : this.toRow(columns);
  }

  private async users(id: string) {
    return this.kind.referable === null ? [] : usersOf(this.context.dataSource.manager, this.kind.referable, id);
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
