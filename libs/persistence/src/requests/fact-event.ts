import { exchanges, type CloudEvent } from '#lib/contracts';
import { instantSql } from '../sql.js';
import type { StoredEvent } from '../stored-event.js';

/**
 * SQL for the event of a request that entered a status: CloudEvents 1.0 around an `AuthorizationFact`. It is made in
 * the statement that changes the row, so that the event tells exactly what was committed.
 */
export const factEventSql = (of: {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly requestId: string;
  readonly time: string;
  readonly traceparent: string;
  readonly status: string;
  readonly reason: string;
  readonly stateVersion: string;
}): string => `
  (jsonb_strip_nulls(jsonb_build_object(
    'specversion', '1.0', 'id', ${of.id}, 'source', ${of.source}, 'type', ${of.type}, 'subject', ${of.requestId},
    'time', ${instantSql(of.time)}, 'datacontenttype', 'application/json', 'traceparent', ${of.traceparent}
  )) || jsonb_build_object('data', jsonb_build_object(
    'authorizationRequestId', ${of.requestId}, 'status', ${of.status}, 'reason', ${of.reason},
    'stateVersion', ${of.stateVersion}
  )))::json`;

/** An event as a statement hands it back. */
export const storedFact = (routingKey: string, event: CloudEvent): StoredEvent => ({
  id: event.id,
  outgoing: { exchange: exchanges.authorizations, routingKey, event },
});
