import { timingSafeEqual } from 'node:crypto';
import { authorizationEvents, eventType, type CloudEvent } from '#lib/contracts';
import type { Status } from '#lib/domain';
import { v7 as uuid } from 'uuid';
import { sha256 } from '../sealing.js';
import { hex, statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { RuleVersions } from '../stores/rule-versions.js';
import { factEventSql, storedFact } from './fact-event.js';
import type { NotifiedAttempt } from './request.types.js';
import { heldAnswerPlace } from './sealed-columns.js';

/** What token providers tell of their own accord, by ping and push (CIBA Core 1.0 §10.2, §10.3). */
export class ReceivedNotifications {
  constructor(
    private readonly context: StoreContext,
    private readonly ruleVersions: RuleVersions,
  ) {}

  /**
   * The start call that a notification token belongs to; null when there is none.
   *
   * Found by the token's hash, which says nothing about the token to whoever measures the index; the hash is compared
   * once more in constant time, also when nothing was found.
   */
  async find(notificationToken: string): Promise<NotifiedAttempt | null> {
    const hash = sha256(notificationToken);
    const row = await this.context.sql.row<NotifiedRow>(selectNotified, [hash]);
    const fits = timingSafeEqual(hash, row?.notification_token_sha256 ?? noHash);
    if (row === null || !fits) return null;
    const rule = { id: row.rule_id, version: row.rule_version };
    const definition = (await this.ruleVersions.definitions([rule])).of(rule);
    return {
      requestId: row.request_id,
      attemptId: row.attempt_id,
      sentAt: row.sent_at,
      databaseNow: row.database_now,
      rule,
      status: row.status,
      authReqIdSha256: row.auth_req_id_sha256,
      deliveryMode: definition.deliveryMode,
      requestedExpirySeconds: definition.requestedExpirySeconds,
    };
  }

  async note(requestId: string, pushed: object | null): Promise<boolean> {
    const sealed =
      pushed === null ? null : this.context.sealing.seal(JSON.stringify(pushed), heldAnswerPlace(requestId));
    const stored = await this.context.sql.row<{ event: CloudEvent }>(noteNotification, [
      requestId,
      sealed === null ? null : hex(sealed),
      uuid(),
      this.context.source,
    ]);
    if (stored === null) return false;
    this.context.committed([storedFact(authorizationEvents.pinged, stored.event)]);
    return true;
  }
}

const noHash = Buffer.alloc(32);

interface NotifiedRow {
  readonly request_id: string;
  readonly attempt_id: string;
  readonly notification_token_sha256: Buffer;
  readonly sent_at: Date;
  readonly database_now: Date;
  readonly status: Status;
  readonly auth_req_id_sha256: Buffer | null;
  readonly rule_id: string;
  readonly rule_version: number;
}

const selectNotified = statement(
  'select_notified',
  /* sql */ `
  select a.id as attempt_id, a.request_id, a.notification_token_sha256, a.sent_at, clock_timestamp() as database_now,
    r.status, r.auth_req_id_sha256, r.rule_id, r.rule_version
  from start_attempts a join authorization_requests r on r.id = a.request_id
  where a.notification_token_sha256 = $1::bytea`,
);

// The first notification counts: what a repeated one says is known, and a second answer is not taken for a first.
const noteNotification = statement(
  'note_notification',
  /* sql */ `
  with locked as materialized (
    select id from authorization_requests where id = $1::uuid and status = 'pending' and pinged_at is null for update
  ), noted as (
    update authorization_requests r set pinged_at = clock_timestamp() from locked where r.id = locked.id
    returning r.id, r.status, r.reason, r.state_version, r.traceparent, r.pinged_at
  ), held as (
    insert into held_answers (request_id, answer, received_at)
    select id, $2::bytea, clock_timestamp() from locked where $2::bytea is not null
    on conflict (request_id) do nothing
  ), told as (
    insert into request_timeline (request_id, at, type, detail)
    select id, pinged_at, case when $2::bytea is null then 'pinged' else 'pushed' end, '{}'::json from noted
  )
  insert into outbox (id, exchange, routing_key, event)
  select $3::uuid, 'assent.authorizations', '${authorizationEvents.pinged}',
    ${factEventSql({
      id: '$3::uuid',
      source: '$4::text',
      type: `'${eventType(authorizationEvents.pinged)}'`,
      requestId: 'noted.id',
      time: 'noted.pinged_at',
      traceparent: 'noted.traceparent',
      status: 'noted.status',
      reason: 'noted.reason',
      stateVersion: 'noted.state_version',
    })}
  from noted
  returning event`,
);
