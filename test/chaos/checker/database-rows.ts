/** The rows of the dump in the shape that judges read: times in ms, hashes in lower-case hex, documents parsed. */

import type { Row } from './history-lines.js';

export type Outcome = 'approved' | 'denied' | 'expired' | 'cancelled' | 'failed';
export const outcomes: readonly string[] = ['approved', 'denied', 'expired', 'cancelled', 'failed'];

export interface EvidenceDocument {
  readonly issuer?: unknown;
  readonly subject?: unknown;
  readonly idTokenSha256?: unknown;
}

export interface RequestRow {
  readonly id: string;
  readonly status: string;
  readonly stateVersion: number;
  readonly reason: string | null;
  readonly providerErrorCode: string | null;
  readonly apiClientId: string;
  readonly idempotencyKey: string | null;
  readonly ruleId: string;
  readonly ruleVersion: number;
  readonly bindingMessage: string | null;
  readonly callbackUrl: string | null;
  readonly requestHash: string;
  readonly createdAtMs: number;
  readonly sentAtMs: number | null;
  readonly expiresAtMs: number | null;
  readonly authReqIdSha256: string | null;
  readonly evidence: EvidenceDocument | null;
  readonly lateEvidence: EvidenceDocument | null;
  readonly idTokenSha256: string | null;
  readonly grantedScope: string | null;
  readonly holdsToken: boolean;
  readonly consumeByMs: number | null;
  readonly consumedAtMs: number | null;
  readonly consumedBy: string | null;
  readonly consumeKey: string | null;
  readonly endedAtMs: number | null;
  readonly decisionId: string | null;
}

export interface TimelineRow {
  readonly position: number;
  readonly requestId: string;
  readonly atMs: number;
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The decision document as a program reads it. */
export interface DecisionDocument {
  readonly id?: unknown;
  readonly authorizationRequestId?: unknown;
  readonly outcome?: unknown;
  readonly reason?: unknown;
  readonly requestHash?: unknown;
  readonly receipt?: unknown;
  readonly evidence?: EvidenceDocument | null;
}

export interface DecisionRow {
  readonly id: string;
  readonly requestId: string;
  readonly outcome: string;
  /** The document byte by byte. */
  readonly text: string;
  readonly document: DecisionDocument;
  readonly decidedAtMs: number;
}

export interface DeliveryRow {
  readonly id: string;
  readonly decisionId: string;
  readonly requestId: string;
  readonly kind: string;
  readonly endpointId: string | null;
  readonly url: string;
  readonly state: string;
  readonly failedAttempts: number;
}

export interface DeliveryAttemptRow {
  readonly deliveryId: string;
  readonly atMs: number;
  readonly status: number | null;
}

export interface OutboxRow {
  readonly id: string;
  readonly routingKey: string;
  readonly event: {
    readonly id?: unknown;
    readonly subject?: unknown;
    readonly time?: unknown;
    readonly data?: Readonly<Record<string, unknown>>;
  };
  readonly createdAtMs: number;
  readonly publishedAtMs: number | null;
}

export interface InboxRow {
  readonly consumer: string;
  readonly eventId: string;
}

export interface StartAttemptRow {
  readonly id: string;
  readonly requestId: string;
  readonly number: number;
  readonly sentAtMs: number;
  readonly closedAtMs: number | null;
  readonly outcome: string | null;
}

export const readRequest = (row: Row): RequestRow => ({
  id: text(row, 'id'),
  status: text(row, 'status'),
  stateVersion: number(row, 'state_version'),
  reason: textOrNull(row, 'reason'),
  providerErrorCode: textOrNull(document(row, 'provider_error') ?? {}, 'code'),
  apiClientId: text(row, 'api_client_id'),
  idempotencyKey: textOrNull(row, 'idempotency_key'),
  ruleId: text(row, 'rule_id'),
  ruleVersion: number(row, 'rule_version'),
  bindingMessage: textOrNull(row, 'binding_message'),
  callbackUrl: textOrNull(row, 'callback_url'),
  requestHash: text(row, 'request_hash'),
  createdAtMs: instant(row, 'created_at'),
  sentAtMs: instantOrNull(row, 'sent_at'),
  expiresAtMs: instantOrNull(row, 'expires_at'),
  authReqIdSha256: hexOrNull(row, 'auth_req_id_sha256'),
  evidence: document(row, 'evidence'),
  lateEvidence: document(row, 'late_evidence'),
  idTokenSha256: textOrNull(row, 'id_token_sha256'),
  grantedScope: textOrNull(row, 'granted_scope'),
  holdsToken: row['released_token'] != null,
  consumeByMs: instantOrNull(row, 'consume_by'),
  consumedAtMs: instantOrNull(row, 'consumed_at'),
  consumedBy: textOrNull(row, 'consumed_by'),
  consumeKey: textOrNull(row, 'consume_key'),
  endedAtMs: instantOrNull(row, 'ended_at'),
  decisionId: textOrNull(row, 'decision_id'),
});

export const readTimeline = (row: Row): TimelineRow => ({
  position: number(row, 'position'),
  requestId: text(row, 'request_id'),
  atMs: instant(row, 'at'),
  type: text(row, 'type'),
  detail: document(row, 'detail') ?? {},
});

export const readDecision = (row: Row): DecisionRow => ({
  id: text(row, 'id'),
  requestId: text(row, 'request_id'),
  outcome: text(row, 'outcome'),
  text:
    textOrNull(row, 'document_text') ??
    (typeof row['document'] === 'string' ? row['document'] : JSON.stringify(row['document'])),
  document: document(row, 'document') ?? {},
  decidedAtMs: instant(row, 'decided_at'),
});

export const readDelivery = (row: Row): DeliveryRow => ({
  id: text(row, 'id'),
  decisionId: text(row, 'decision_id'),
  requestId: text(row, 'request_id'),
  kind: text(row, 'kind'),
  endpointId: textOrNull(row, 'endpoint_id'),
  url: text(row, 'url'),
  state: text(row, 'state'),
  failedAttempts: number(row, 'failed_attempts'),
});

export const readDeliveryAttempt = (row: Row): DeliveryAttemptRow => ({
  deliveryId: text(row, 'delivery_id'),
  atMs: instant(row, 'at'),
  status: row['status'] == null ? null : number(row, 'status'),
});

export const readOutbox = (row: Row): OutboxRow => ({
  id: text(row, 'id'),
  routingKey: text(row, 'routing_key'),
  event: document(row, 'event') ?? {},
  createdAtMs: instant(row, 'created_at'),
  publishedAtMs: instantOrNull(row, 'published_at'),
});

export const readInbox = (row: Row): InboxRow => ({ consumer: text(row, 'consumer'), eventId: text(row, 'event_id') });

export const readStartAttempt = (row: Row): StartAttemptRow => ({
  id: text(row, 'id'),
  requestId: text(row, 'request_id'),
  number: number(row, 'number'),
  sentAtMs: instant(row, 'sent_at'),
  closedAtMs: instantOrNull(row, 'closed_at'),
  outcome: textOrNull(row, 'outcome'),
});

/** A column that is not what the schema says: the dump cannot be judged. */
export class UnreadableRow extends Error {
  override readonly name = 'UnreadableRow';
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new UnreadableRow(`the column ${column} is no text`);
  return value;
}

function textOrNull(row: Row, column: string): string | null {
  return row[column] == null ? null : text(row, column);
}

function number(row: Row, column: string): number {
  // Postgres' bigint arrives as text.
  const value = Number(row[column] ?? Number.NaN);
  if (!Number.isFinite(value)) throw new UnreadableRow(`the column ${column} is no number`);
  return value;
}

function instant(row: Row, column: string): number {
  const value = Date.parse(text(row, column));
  if (Number.isNaN(value)) throw new UnreadableRow(`the column ${column} is no instant`);
  return value;
}

function instantOrNull(row: Row, column: string): number | null {
  return row[column] == null ? null : instant(row, column);
}

function hexOrNull(row: Row, column: string): string | null {
  const value = textOrNull(row, column);
  return value === null ? null : value.replace(/^\\x/, '').toLowerCase();
}

function document(row: Row, column: string): Readonly<Record<string, unknown>> | null {
  const value = row[column];
  if (value == null) return null;
  return (typeof value === 'string' ? JSON.parse(value) : value) as Readonly<Record<string, unknown>>;
}
