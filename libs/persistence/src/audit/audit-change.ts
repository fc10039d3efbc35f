import { changesBetween, type Change } from '#lib/domain';
import type { Acting } from './acting.js';
import type { AuditEntry } from './audit.types.js';
import { recordAudit, type Queryable } from './record-audit.js';

/** One change of an administered object. */
export interface AdminChange {
  readonly resource: AuditEntry['resource'];
  /** The version that it has now; of what was deleted, the last one. */
  readonly version: number;
  /** What the audit log shows of it; null: it was not there. */
  readonly before: object | null;
  readonly after: object | null;
  /** The columns that were written: of those that are secret it is told that they were set. */
  readonly columns: object;
  /** Default: created, updated or deleted. */
  readonly action?: string;
}

/** Members that every object has, and that say nothing of what was changed. */
const bookkeeping: ReadonlySet<string> = new Set(['/id', '/version', '/createdAt', '/updatedAt']);

/** Members that name people: they are kept apart, and go when their time is over. */
const personal = /^\/subjects(\/|$)/;

/** Writes down a change of an administered object: what it was, and what it is, without secrets. */
export async function auditChange(db: Queryable, acting: Acting, change: AdminChange): Promise<void> {
  const { resource, version, before, after, columns } = change;
  const done = before === null ? 'created' : after === null ? 'deleted' : 'updated';
  const shown = changesBetween(asJson(before), asJson(after)).filter(({ pointer }) => !bookkeeping.has(pointer));
  const named = shown.filter(({ pointer }) => personal.test(pointer));
  await recordAudit(db, acting, {
    action: `${resource.type}.${change.action ?? done}`,
    resource,
    changes: [...shown.filter((one) => !named.includes(one)), ...secretsIn(columns)],
    detail: { version },
    personal: named.length === 0 ? null : { changes: named },
  });
}

// Secrets and hashes of secrets are bytes; nothing else is.
const secretsIn = (columns: object): Change[] =>
  Object.entries(columns)
    .filter(([, value]) => Buffer.isBuffer(value))
    .map(([name]) => ({ pointer: `/${name}`, before: null, after: '(secret)' }));

/** As it would be shown: instants as text. */
const asJson = (value: object | null): unknown => (value === null ? null : JSON.parse(JSON.stringify(value)));
