import type { Page, PageQuery } from '#lib/contracts';
import { QueryFailedError, type DataSource, type EntityManager, type EntitySchema, type ObjectLiteral } from 'typeorm';
import { faultOf } from '../errors.js';
import { repeatRolledBack } from '../repeat-rolled-back.js';
import { cursorId, isUuid, pageOf } from '../paging.js';
import { isStorable } from '../storable.js';
import type { AdminColumns } from '../tables/admin-columns.js';

/** The columns that a store may set; the rest is kept by `AdminTable`. */
export type OwnColumns<Columns extends AdminColumns> = Omit<Columns, keyof AdminColumns>;

export type ChangeOutcome<Columns> =
  | { readonly kind: 'updated'; readonly row: Columns }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'version-mismatch'; readonly current: Columns };

export type RemoveOutcome<Columns> =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'version-mismatch'; readonly current: Columns };

/** What every administered table does alike: find, list, and change under an expected version. */
export class AdminTable<Columns extends AdminColumns & ObjectLiteral> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly schema: EntitySchema<Columns>,
  ) {}

  async find(id: string, manager: EntityManager = this.dataSource.manager): Promise<Columns | null> {
    if (!isUuid(id)) return null;
    return this.query(manager).where('row.id = :id', { id }).getOne();
  }

  /** The same, held until the transaction ends. */
  async lock(id: string, manager: EntityManager): Promise<Columns | null> {
    if (!isUuid(id)) return null;
    return this.query(manager).setLock('pessimistic_write').where('row.id = :id', { id }).getOne();
  }

  async findBy(
    column: keyof Columns & string,
    value: unknown,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<Columns | null> {
    if (typeof value === 'string' && !isStorable(value)) return null;
    return this.query(manager).where(`row.${column} = :value`, { value }).getOne();
  }

  /** Oldest first: ids grow with time. */
  async list({ limit, cursor }: PageQuery): Promise<Page<Columns>> {
    const after = cursorId(cursor);
    const query = this.query(this.dataSource.manager)
      .orderBy('row.id')
      .limit(limit + 1);
    return pageOf(await (after === null ? query : query.where('row.id > :after', { after })).getMany(), limit);
  }

  async insert(
    id: string,
    columns: OwnColumns<Columns>,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<Columns> {
    const values = { ...columns, id, version: 1, createdAt: () => now, updatedAt: () => now };
    const insert = manager
      .createQueryBuilder()
      .insert()
      .into(this.schema)
      .values(values as object);
    await this.execute(manager, () => insert.execute());
    return (await this.find(id, manager))!;
  }

  /** One compare-and-set on the version; an expected version of null takes any. */
  async change(
    id: string,
    expectedVersion: number | null,
    columns: Partial<OwnColumns<Columns>>,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<ChangeOutcome<Columns>> {
    if (!isUuid(id)) return { kind: 'not-found' };
    const values = { ...columns, version: () => 'version + 1', updatedAt: () => now };
    const update = manager
      .createQueryBuilder()
      .update(this.schema)
      .set(values)
      .where(unchanged, { id, expectedVersion });
    const { affected } = await this.execute(manager, () => update.execute());
    const row = await this.find(id, manager);
    if (row === null) return { kind: 'not-found' };
    return affected === 1 ? { kind: 'updated', row } : { kind: 'version-mismatch', current: row };
  }

  async remove(
    id: string,
    expectedVersion: number | null,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<RemoveOutcome<Columns>> {
    if (!isUuid(id)) return { kind: 'not-found' };
    const deletion = manager.createQueryBuilder().delete().from(this.schema).where(unchanged, { id, expectedVersion });
    const { affected } = await this.execute(manager, () => deletion.execute());
    if (affected === 1) return { kind: 'deleted' };
    const current = await this.find(id, manager);
    return current === null ? { kind: 'not-found' } : { kind: 'version-mismatch', current };
  }

  /** Inside a transaction of somebody else a statement cannot be repeated alone. */
  private execute<Result>(manager: EntityManager, statement: () => Promise<Result>): Promise<Result> {
    return manager === this.dataSource.manager ? repeatRolledBack(statement) : statement();
  }

  private query(manager: EntityManager) {
    return manager.createQueryBuilder(this.schema, 'row');
  }
}

const now = 'clock_timestamp()';
const unchanged = 'id = :id and (:expectedVersion::integer is null or version = :expectedVersion)';

/** The unique or foreign key that a statement broke, or null when it failed for another reason. */
export function brokenConstraint(error: unknown): string | null {
  if (!(error instanceof QueryFailedError)) return null;
  const { code, constraint } = faultOf(error.driverError);
  return code === '23505' || code === '23503' ? constraint : null;
}
