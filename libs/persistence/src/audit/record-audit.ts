import { randomBytes } from 'node:crypto';
import { personalHash } from '#lib/domain';
import { v7 as uuid } from 'uuid';
import { sha256 } from '../sealing.js';
import { storable } from '../storable.js';
import type { Acting } from './acting.js';
import type { AuditEntry } from './audit.types.js';

/** A connection in a transaction: TypeORM's or the driver's. */
export interface Queryable {
  query(text: string, values: unknown[]): Promise<unknown>;
}

/** SHA-256 as base64url. */
export const sha256Text = (text: string): string => sha256(text).toString('base64url');

/** The columns that hold what names a person. */
export function personalColumns(personal: AuditEntry['personal']) {
  if (personal == null) return { personal: null, personalSalt: null, personalSha256: null };
  const salt = randomBytes(16).toString('base64url');
  return { personal, personalSalt: salt, personalSha256: personalHash(personal, salt, sha256Text) };
}

/** Writes down an act, in the transaction in which it happens. */
export async function recordAudit(db: Queryable, { actor, requestId }: Acting, entry: AuditEntry): Promise<void> {
  const { personal, personalSalt, personalSha256 } = personalColumns(entry.personal);
  const json = (value: unknown): string | null => (value == null ? null : JSON.stringify(value));
  await db.query(insertEvent, [
    uuid(),
    actor.type,
    actor.id,
    entry.action,
    entry.resource.type,
    // What a caller has named need not be there, nor be a text that a column can hold.
    entry.resource.id === null ? null : storable(entry.resource.id),
    entry.resource.name,
    requestId,
    json(entry.changes),
    json(entry.detail),
    json(personal),
    personalSalt,
    personalSha256,
    actor.name ?? null,
  ]);
}

const insertEvent = /* sql */ `
  insert into audit_events (id, actor_type, actor_id, actor_name, action, resource_type, resource_id, resource_name,
    request_id, changes, detail, personal, personal_salt, personal_sha256)
  values ($1::uuid, $2, $3, coalesce($14::text, (select name from api_clients where id::text = $3)), $4, $5, $6, $7, $8, $9::json,
    $10::json, $11::json, $12, $13)`;
