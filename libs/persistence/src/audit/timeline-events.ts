import { userPrefix, type AuditEvent } from '#lib/contracts';
import { v7 as uuid } from 'uuid';
import { personalColumns } from './record-audit.js';

/** A timeline entry that is a decision, or the use of one, with what its request says. */
export interface DecisiveEntry {
  readonly request_id: string;
  readonly at: Date;
  readonly type: 'approved' | 'denied' | 'expired' | 'cancelled' | 'failed' | 'consumed';
  readonly detail: Readonly<Record<string, unknown>>;
  /** Null when the request has gone. */
  readonly rule: { readonly id: string; readonly name: string; readonly version: number } | null;
  readonly reason: string | null;
  readonly request_hash: string | null;
  readonly id_token_sha256: string | null;
  readonly subject: string | null;
  readonly bootstrap: boolean;
  readonly client_name: string | null;
}

/** The audit event that a timeline entry stands for; it is written when it is sealed. */
export function eventOfTimeline(entry: DecisiveEntry): AuditEvent {
  const { rule, reason, request_hash: requestHash, id_token_sha256: idTokenSha256 } = entry;
  const approved = entry.type === 'approved' && entry.subject !== null && entry.subject !== '';
  return {
    id: uuid(),
    sequence: null,
    at: entry.at.toISOString(),
    actor: actorOf(entry),
    action: `authorization-request.${entry.type}`,
    resource: { type: 'authorization-request', id: entry.request_id, name: null },
    requestId: null,
    changes: null,
    detail: { rule, reason, requestHash, ...(entry.type === 'approved' && { idTokenSha256 }) },
    ...personalColumns(approved ? { subject: entry.subject } : null),
    hash: null,
  };
}

function actorOf({ type, detail, bootstrap, client_name: name }: DecisiveEntry): AuditEvent['actor'] {
  const by = typeof detail['by'] === 'string' ? detail['by'] : null;
  switch (type) {
    case 'approved':
      return { type: 'person', id: null, name: null };
    case 'denied':
      return { type: by === 'person' ? 'person' : 'provider', id: null, name: null };
    case 'cancelled':
    case 'consumed':
      if (by?.startsWith(userPrefix)) return { type: 'user', id: null, name: by.slice(userPrefix.length) };
      return { type: bootstrap ? 'bootstrap-key' : 'api-client', id: by, name };
    case 'expired':
    case 'failed':
      return { type: 'system', id: null, name: null };
  }
}
