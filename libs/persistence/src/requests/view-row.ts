import type { Decision } from '#lib/contracts';
import type { ProviderError, Reason, Status } from '#lib/domain';
import type { RequestView } from './request.types.js';

/** A request as it is shown, as the database has it. */
export interface ViewRow {
  readonly id: string;
  readonly api_client_id: string;
  readonly status: Status;
  readonly reason: Reason | null;
  readonly provider_error: ProviderError | null;
  readonly rule_id: string;
  readonly rule_name: string;
  readonly rule_version: number;
  readonly binding_message: string | null;
  readonly request_hash: string;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly consumed_at: Date | null;
  readonly metadata: Record<string, string>;
  readonly state_version: number;
  readonly decision: Decision | null;
}

/** The view that a row is of. */
export const toView = (row: ViewRow): RequestView => ({
  id: row.id,
  apiClientId: row.api_client_id,
  status: row.status,
  reason: row.reason,
  providerError: row.provider_error,
  rule: { id: row.rule_id, name: row.rule_name, version: row.rule_version },
  bindingMessage: row.binding_message,
  requestHash: row.request_hash,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  consumedAt: row.consumed_at,
  metadata: row.metadata,
  stateVersion: row.state_version,
  decision: row.decision,
});

/** Where rows to show come from; `r` is the request. */
export const viewColumns = /* sql */ `
  select r.id, r.api_client_id, r.status, r.reason, r.provider_error, r.rule_id, r.rule_name, r.rule_version,
    r.binding_message, r.request_hash, r.created_at, r.expires_at, r.consumed_at, r.metadata, r.state_version,
    d.document as decision
  from authorization_requests r left join decisions d on d.id = r.decision_id`;
