import type { Attributes, RuleDefinition, Status } from '#lib/domain';
import { isSealed } from '../errors.js';
import { NaturalBatcher } from '../natural-batcher.js';
import { isUuid } from '../paging.js';
import { sha256 } from '../sealing.js';
import { anyOf, hex, statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { NewAttempt, OpenAttemptResult, SealedStart, StartWork, UnstartedOptions } from './request.types.js';
import { requestPlace } from './sealed-columns.js';

/** The ledger of start calls: each is written down before it is made, so that no crash hides one. */
export class StartAttempts {
  private readonly batcher = new NaturalBatcher<NewAttempt, OpenAttemptResult>({
    name: 'the start of authentications',
    run: (attempts) => this.openAll(attempts),
    keyOf: ({ requestId }) => requestId,
  });
  private readonly works = new NaturalBatcher<string, StartWork | SealedStart | null>({
    name: 'reading requests to start',
    run: (ids) => this.readWorks(ids),
  });

  constructor(private readonly context: StoreContext) {}

  async work(requestId: string): Promise<StartWork | SealedStart | null> {
    return isUuid(requestId) ? this.works.run(requestId) : null;
  }

  private async readWorks(ids: readonly string[]): Promise<(StartWork | SealedStart | null)[]> {
    const rows = await this.context.sql.rows<StartWorkRow>(selectStartWorks, [ids]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => {
      const row = byId.get(id.toLowerCase());
      return row === undefined ? null : this.toWork(row);
    });
  }

  private toWork(row: StartWorkRow): StartWork | SealedStart {
    const request = {
      requestId: row.id,
      status: row.status,
      createdAt: row.created_at,
      databaseNow: row.database_now,
    };
    const opened = this.opened(row);
    if (opened === null) return { ...request, sealed: true };
    return {
      ...request,
      ...opened,
      rule: { id: row.rule_id, version: row.rule_version },
      definition: row.definition,
      bindingMessage: row.binding_message,
    };
  }

  private opened(row: StartWorkRow): Pick<StartWork, 'attributes' | 'loginHint' | 'userCode'> | null {
    const open = (column: 'attributes' | 'login_hint' | 'user_code', sealed: Buffer) =>
      this.context.sealing.open(sealed, requestPlace(column, row.id));
    try {
      return {
        attributes: JSON.parse(open('attributes', row.attributes)) as Attributes,
        loginHint: open('login_hint', row.login_hint),
        userCode: row.user_code === null ? null : open('user_code', row.user_code),
      };
    } catch (error) {
      if (!isSealed(error)) throw error;
      return null;
    }
  }

  async unstarted({ olderThanSeconds, limit, pausedForSeconds }: UnstartedOptions): Promise<string[]> {
    const rows = await this.context.sql.rows<{ id: string }>(selectUnstarted, [
      olderThanSeconds,
      limit,
      pausedForSeconds,
    ]);
    return rows.map(({ id }) => id);
  }

  open(attempt: NewAttempt): Promise<OpenAttemptResult> {
    return this.batcher.run(attempt);
  }

  async close(attemptId: string, outcome: 'not-accepted' | 'unknown', nextInMs: number): Promise<void> {
    await this.context.sql.rows(closeAttempt, [attemptId, outcome, nextInMs]);
  }

  async acknowledgedOtherwise(attemptId: string, authReqId: string): Promise<boolean> {
    const row = await this.context.sql.row(selectOtherwise, [attemptId, sha256(authReqId)]);
    return row !== null;
  }

  private async openAll(attempts: readonly NewAttempt[]): Promise<OpenAttemptResult[]> {
    const input = attempts.map(({ requestId, attemptId, instanceId, callTimeoutMs, notificationToken, cause }) => ({
      request_id: requestId,
      attempt_id: attemptId,
      instance_id: instanceId,
      call_timeout_ms: callTimeoutMs,
      notification_token_sha256: notificationToken == null ? undefined : hex(sha256(notificationToken)),
      consumer: cause?.consumer,
      event_id: cause?.eventId,
    }));
    const rows = await this.context.sql.rows<OpenAttemptRow>(openAttempts, [
      JSON.stringify(input),
      attempts.map(({ requestId }) => requestId),
    ]);
    const byRequest = new Map(rows.map((row) => [row.request_id, row]));
    return attempts.map(({ requestId }) => toResult(byRequest.get(requestId)));
  }
}

interface StartWorkRow {
  readonly id: string;
  readonly status: Status;
  readonly created_at: Date;
  readonly database_now: Date;
  readonly rule_id: string;
  readonly rule_version: number;
  readonly definition: RuleDefinition;
  readonly attributes: Buffer;
  readonly login_hint: Buffer;
  readonly binding_message: string | null;
  readonly user_code: Buffer | null;
}

interface OpenAttemptRow {
  readonly request_id: string;
  readonly opened_number: number | null;
  readonly binding_message: string | null;
  readonly sent_at: Date | null;
  readonly first_sent_at: Date | null;
  readonly duplicate: boolean;
  readonly requested: boolean;
  readonly lapsed_id: string | null;
  readonly unknown_attempts: number;
}

function toResult(row: OpenAttemptRow | undefined): OpenAttemptResult {
  if (row === undefined) return { kind: 'not-requested' };
  if (row.opened_number !== null && row.sent_at !== null) {
    const { opened_number: number, sent_at: sentAt } = row;
    const { binding_message: bindingMessage, unknown_attempts: unknownAttempts } = row;
    return {
      kind: 'opened',
      number,
      sentAt,
      firstSentAt: row.first_sent_at ?? sentAt,
      unknownAttempts,
      bindingMessage,
    };
  }
  if (row.duplicate) return { kind: 'duplicate' };
  if (!row.requested) return { kind: 'not-requested' };
  if (row.lapsed_id !== null) {
    return { kind: 'lapsed', attemptId: row.lapsed_id, unknownAttempts: row.unknown_attempts + 1 };
  }
  return { kind: 'in-progress' };
}

const selectStartWorks = statement(
  'select_start_works',
  /* sql */ `
  select r.id, r.status, r.created_at, clock_timestamp() as database_now, r.rule_id, r.rule_version, v.definition,
    r.attributes, r.login_hint, r.binding_message, r.user_code
  from authorization_requests r
  join rule_versions v on v.rule_id = r.rule_id and v.version = r.rule_version
  where r.id = ${anyOf('$1', 'uuid')}`,
);

// A request whose client is refused waits for the end of the pause, or of its patience.
// A request whose last attempt was closed is in the hands of a process that waits to try again, until it should have.
const selectUnstarted = statement(
  'select_unstarted',
  /* sql */ `
  select r.id from authorization_requests r
  where r.status = 'requested' and r.created_at < clock_timestamp() - make_interval(secs => $1)
    and not exists (
      select from start_attempts a where a.request_id = r.id
        and case when a.closed_at is null then a.lapses_at > clock_timestamp()
          else a.lapses_at > clock_timestamp() - make_interval(secs => $1) end)
    and (r.created_at <= clock_timestamp() - make_interval(secs => $3)
      or not exists (
        select from client_refusals f
        where f.rule_id = r.rule_id and f.rule_version = r.rule_version and f.call = 'start'
          and f.paused_until > clock_timestamp()))
  order by r.created_at limit $2::integer`,
);

const selectOtherwise = statement(
  'select_acknowledged_otherwise',
  /* sql */ `
  select r.id from start_attempts a join authorization_requests r on r.id = a.request_id
  where a.id = $1::uuid and a.outcome = 'acknowledged' and r.status = 'pending' and r.auth_req_id_sha256 <> $2::bytea`,
);

const closeAttempt = statement(
  'close_attempt',
  /* sql */ `
  update start_attempts set
    closed_at = clock_timestamp(),
    outcome = $2,
    lapses_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000)
  where id = $1::uuid and closed_at is null`,
);

// Two processes that open at once meet at the row's lock; the one that waited does not see the other's attempt in its
// snapshot, and then the unique index says no. Whoever opens the same attempt again never learned that it was open, and
// has called nobody: it begins now.
const openAttempts = statement(
  'open_attempts',
  /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      request_id uuid, attempt_id uuid, instance_id text, call_timeout_ms integer,
      notification_token_sha256 bytea, consumer text, event_id text)
  ), locked as materialized (
    select id, status, binding_message from authorization_requests where id = ${anyOf('$2', 'uuid')} order by id for update
  ), clock as materialized (
    select clock_timestamp() as now from (select count(*) from locked) as all_locked
  ), known as materialized (
    select input.request_id,
      coalesce(locked.status = 'requested', false) as requested, locked.binding_message,
      coalesce(handled_before.so, false) as duplicate,
      past.attempts, past.first_sent_at, past.unknown_attempts, past.open_id,
      case when past.open_lapses_at <= clock.now then past.open_id end as lapsed_id
    from input
    cross join clock
    left join locked on locked.id = input.request_id
    -- One lookup for each: an "exists" may become a hash of the whole inbox.
    left join lateral (
      select true as so from inbox i where i.consumer = input.consumer and i.event_id = input.event_id limit 1
    ) as handled_before on true
    cross join lateral (
      select coalesce(max(a.number), 0) as attempts, min(a.sent_at) as first_sent_at,
        count(*) filter (where a.outcome = 'unknown') as unknown_attempts,
        (array_agg(a.id) filter (where a.closed_at is null))[1] as open_id,
        max(a.lapses_at) filter (where a.closed_at is null) as open_lapses_at
      from start_attempts a where a.request_id = input.request_id
    ) as past
  ), handled as (
    insert into inbox (consumer, event_id)
    select input.consumer, input.event_id from input join known using (request_id)
    where input.event_id is not null and known.requested and not known.duplicate and known.open_id is null
    order by input.consumer, input.event_id
    on conflict do nothing
    returning consumer, event_id
  ), opened as (
    insert into start_attempts (id, request_id, number, instance_id, sent_at, lapses_at, notification_token_sha256)
    select input.attempt_id, input.request_id, known.attempts + 1, input.instance_id, clock.now,
      clock.now + make_interval(secs => input.call_timeout_ms / 1000.0 + 2), input.notification_token_sha256
    from input join known using (request_id) cross join clock
    where known.requested and not known.duplicate and known.open_id is null
      and (input.event_id is null
        or exists (select from handled h where h.consumer = input.consumer and h.event_id = input.event_id))
    on conflict do nothing
    returning request_id, number, sent_at
  ), taken_up as (
    update start_attempts a set
      sent_at = clock.now, lapses_at = clock.now + make_interval(secs => input.call_timeout_ms / 1000.0 + 2)
    from input join known using (request_id) cross join clock
    where a.id = input.attempt_id and a.id = known.open_id and known.requested
    returning a.request_id, a.number, a.sent_at
  )
  select known.request_id, opened.number as opened_number, opened.sent_at, known.first_sent_at, known.duplicate,
    known.requested, known.binding_message, known.lapsed_id, known.unknown_attempts::integer as unknown_attempts
  from known left join (select * from opened union all select * from taken_up) as opened using (request_id)`,
);
