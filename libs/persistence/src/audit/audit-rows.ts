import type { AuditActorType, AuditEvent, AuditHead } from '#lib/contracts';

/** An audit event as the table has it. */
export interface AuditEventRow {
  readonly id: string;
  readonly at: Date;
  readonly actor_type: AuditActorType;
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly action: string;
  readonly resource_type: string;
  readonly resource_id: string | null;
  readonly resource_name: string | null;
  readonly request_id: string | null;
  readonly changes: AuditEvent['changes'];
  readonly detail: AuditEvent['detail'];
  readonly personal: AuditEvent['personal'];
  readonly personal_salt: string | null;
  readonly personal_sha256: string | null;
  /** `bigint` comes as text. */
  readonly sequence: string | null;
  readonly hash: string | null;
}

export const toAuditEvent = (row: AuditEventRow): AuditEvent => ({
  id: row.id,
  sequence: row.sequence === null ? null : Number(row.sequence),
  at: row.at.toISOString(),
  actor: { type: row.actor_type, id: row.actor_id, name: row.actor_name },
  action: row.action,
  resource: { type: row.resource_type, id: row.resource_id, name: row.resource_name },
  requestId: row.request_id,
  changes: row.changes,
  detail: row.detail,
  personal: row.personal,
  personalSalt: row.personal_salt,
  personalSha256: row.personal_sha256,
  hash: row.hash,
});

/** A head as the table has it. */
export interface AuditHeadRow {
  readonly batch: string;
  readonly first_sequence: string;
  readonly last_sequence: string;
  readonly previous_hash: string;
  readonly hash: string;
  readonly sealed_at: Date;
  readonly kid: string;
  readonly signature: string;
}

export const toAuditHead = (row: AuditHeadRow): AuditHead => ({
  batch: Number(row.batch),
  firstSequence: Number(row.first_sequence),
  lastSequence: Number(row.last_sequence),
  previousHash: row.previous_hash,
  hash: row.hash,
  sealedAt: row.sealed_at.toISOString(),
  kid: row.kid,
  signature: row.signature,
});
