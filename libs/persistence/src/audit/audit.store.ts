import type { AuditEvent, AuditEventsQuery, AuditHead, Page, PageQuery } from '#lib/contracts';
import { InvalidCursor } from '../errors.js';
import { cursorId, pageOf } from '../paging.js';
import type { StoreContext } from '../store-context.js';
import type { SigningKeyStore } from '../stores/work.types.js';
import type { Acting } from './acting.js';
import type { AuditEntry, AuditStore, Sealing } from './audit.types.js';
import { toAuditEvent, toAuditHead, type AuditEventRow, type AuditHeadRow } from './audit-rows.js';
import { recordAudit } from './record-audit.js';
import { SealAuditLog } from './seal-audit-log.js';

/** The audit log in Postgres: only ever added to, and sealed. */
export class PostgresAuditStore implements AuditStore {
  private readonly sealing: SealAuditLog;

  constructor(
    private readonly context: StoreContext,
    signingKeys: Pick<SigningKeyStore, 'current'>,
  ) {
    this.sealing = new SealAuditLog(context, signingKeys);
  }

  record(acting: Acting, entry: AuditEntry): Promise<void> {
    return this.context.sql.transaction((client) => recordAudit(client, acting, entry));
  }

  async list({ limit, cursor, afterSequence, ...filters }: AuditEventsQuery): Promise<Page<AuditEvent>> {
    const conditions = ['($1::text is null or actor_id = $1 or actor_type = $1)', '($2::text is null or action = $2)'];
    conditions.push('($3::text is null or resource_id = $3 or resource_type = $3)');
    conditions.push('($4::timestamptz is null or at >= $4)', '($5::timestamptz is null or at < $5)');
    const { actor, action, resource, since, until } = filters;
    const values = [actor, action, resource, since, until].map((value) => value ?? null);
    const select = (more: string, order: string, after: unknown) =>
      this.rows<AuditEventRow>(
        `select * from audit_events where ${[...conditions, more].join(' and ')} order by ${order} limit ${limit + 1}`,
        [...values, after],
      );
    if (afterSequence === undefined) {
      const rows = await select('($6::uuid is null or id < $6)', 'id desc', cursorId(cursor));
      return pageOf(rows.map(toAuditEvent), limit);
    }
    const after = numberOf(cursor) ?? afterSequence;
    const rows = await select('sequence > $6::bigint', 'sequence', after);
    return numberedPage(rows.map(toAuditEvent), limit, ({ sequence }) => sequence!);
  }

  async heads({ limit, cursor }: PageQuery): Promise<Page<AuditHead>> {
    const rows = await this.rows<AuditHeadRow>(
      `select * from audit_heads where batch > $1::bigint order by batch limit ${limit + 1}`,
      [numberOf(cursor) ?? 0],
    );
    return numberedPage(rows.map(toAuditHead), limit, ({ batch }) => batch);
  }

  seal(signal?: AbortSignal): Promise<Sealing> {
    return this.sealing.run(signal);
  }

  private async rows<Row>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return this.context.dataSource.query<Row[]>(text, [...values]);
  }
}

/** Where a list by number goes on; null for its first page. Throws `InvalidCursor`. */
function numberOf(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidCursor('The cursor is not one that a list has given out.');
  return Number(text);
}

function numberedPage<Row>(rows: readonly Row[], limit: number, numberOfRow: (row: Row) => number): Page<Row> {
  const data = rows.slice(0, limit);
  const last = rows.length > limit ? data.at(-1) : undefined;
  const nextCursor = last === undefined ? null : Buffer.from(String(numberOfRow(last))).toString('base64url');
  return { data, nextCursor };
}
