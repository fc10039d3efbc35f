import type { Delivery, Page, PageQuery } from '#lib/contracts';
import { nextDeliveryDelaySeconds } from '#lib/domain';
import { cursorId, isUuid, pageOf } from '../paging.js';
import { instantSql, statement } from '../sql.js';
import { storable } from '../storable.js';
import type { StoreContext } from '../store-context.js';
import { callbackSecretPlace } from './api-client.store.js';
import { webhookSecretPlace } from './webhook-endpoint.store.js';
import type { DeliveryResult, DeliveryStore, DeliveryWork } from './work.types.js';

/** Deliveries in Postgres: what is due is leased, and what a lease leaves unfinished is due again. */
export class PostgresDeliveryStore implements DeliveryStore {
  constructor(private readonly context: StoreContext) {}

  async claim(options: ClaimOptions): Promise<DeliveryWork[]> {
    const rows = await this.context.sql.rows<ClaimRow>(claimDeliveries, [
      options.limit,
      options.leaseSeconds,
      options.perTarget ?? options.limit,
      options.exceptTargets ?? [],
    ]);
    const works = rows.map((row) => this.toWork(row));
    // One secret that does not open is a fault of its own: it must not take its neighbours' turn away.
    const closed = rows.filter((_, index) => works[index] === null);
    await this.finish(closed.map(({ id, failed_attempts }) => putOff(id, failed_attempts)));
    return works.filter((work) => work !== null);
  }

  async finish(results: readonly DeliveryResult[]): Promise<void> {
    if (results.length === 0) return;
    await this.context.sql.rows(finishDeliveries, [JSON.stringify(results.map(toFinishInput))]);
  }

  async nextDueAt(): Promise<Date | null> {
    const row = await this.context.sql.row<{ due_at: Date | null }>(selectNextDue);
    return row?.due_at ?? null;
  }

  async ofRequest(requestId: string): Promise<Delivery[]> {
    if (!isUuid(requestId)) return [];
    return (await this.context.sql.rows<DeliveryRow>(selectOfRequest, [requestId])).map(toDelivery);
  }

  async ofEndpoint(endpointId: string, { limit, cursor }: PageQuery): Promise<Page<Delivery>> {
    if (!isUuid(endpointId)) return { data: [], nextCursor: null };
    const rows = await this.context.sql.rows<DeliveryRow>(selectOfEndpoint, [endpointId, cursorId(cursor), limit + 1]);
    return pageOf(rows.map(toDelivery), limit);
  }

  /** Null when a secret does not open. */
  private secretsOf(row: ClaimRow): string[] | null {
    const { sealing } = this.context;
    const secrets: string[] = [];
    try {
      if (row.endpoint_id !== null && row.endpoint_secret !== null) {
        secrets.push(sealing.open(row.endpoint_secret, webhookSecretPlace(row.endpoint_id)));
      }
      if (row.client_id !== null && row.callback_secret !== null) {
        secrets.push(sealing.open(row.callback_secret, callbackSecretPlace(row.client_id)));
      }
      return secrets;
    } catch {
      return null;
    }
  }

  private toWork(row: ClaimRow): DeliveryWork | null {
    const secrets = this.secretsOf(row);
    if (secrets === null) return null;
    return {
      id: row.id,
      webhookId: row.decision_id,
      requestId: row.request_id,
      url: row.url,
      body: row.body,
      target: row.target,
      kind: row.kind,
      secrets,
      failedAttempts: row.failed_attempts,
    };
  }
}

/** What does not open now may open when the right master key is configured again: tried by the schedule. */
function putOff(id: string, failedAttempts: number): DeliveryResult {
  const retryInSeconds = nextDeliveryDelaySeconds(failedAttempts + 1, 0, null);
  return {
    id,
    at: new Date(),
    durationMs: 0,
    status: null,
    problem: 'the signing secret does not open; set it anew',
    outcome: retryInSeconds === null ? 'exhausted' : { retryInSeconds },
  };
}

type ClaimOptions = Parameters<DeliveryStore['claim']>[0];

interface ClaimRow {
  readonly id: string;
  readonly decision_id: string;
  readonly request_id: string;
  readonly kind: DeliveryWork['kind'];
  readonly endpoint_id: string | null;
  readonly endpoint_secret: Buffer | null;
  readonly client_id: string | null;
  readonly callback_secret: Buffer | null;
  readonly url: string;
  readonly body: string;
  readonly target: string;
  readonly failed_attempts: number;
}

interface DeliveryRow {
  readonly id: string;
  readonly decision_id: string;
  readonly url: string;
  readonly state: Delivery['state'];
  readonly next_attempt_at: Date | null;
  readonly created_at: Date;
  readonly attempts: { at: string; status: number | null; problem: string | null; durationMs: number }[];
}

const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  webhookId: row.decision_id,
  url: row.url,
  state: row.state,
  attempts: row.attempts.map((attempt) => ({ ...attempt, at: new Date(attempt.at).toISOString() })),
  nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
});

function toFinishInput({ id, at, durationMs, status, problem, outcome }: DeliveryResult) {
  const attempt = {
    id,
    at,
    duration_ms: Math.round(durationMs),
    status,
    problem: problem === null ? null : storable(problem),
  };
  if (typeof outcome === 'object') return { ...attempt, state: 'pending', retry_in_seconds: outcome.retryInSeconds };
  return { ...attempt, state: outcome === 'delivered' ? 'delivered' : 'exhausted' };
}

// Who may be delivered to now: a disabled endpoint keeps its deliveries until it is enabled again.
const deliverable = (delivery: string) => /* sql */ `
  not exists (select from webhook_endpoints e where e.id = ${delivery}.endpoint_id and not e.enabled)`;

// The targets are found by skipping through the index, so that a target with a hundred thousand due rows costs no more
// than one with a single row; each target then gets its share of the batch.
const claimDeliveries = statement(
  'claim_deliveries',
  /* sql */ `
  with recursive targets as (
    (select target from deliveries where state = 'pending' order by target limit 1)
    union all
    select (select d.target from deliveries d where d.state = 'pending' and d.target > t.target order by d.target limit 1)
    from targets t where t.target is not null
  ), clock as materialized (
    select clock_timestamp() as now
  ), busy as materialized (
    select t.target, count(*) over () as number from targets t cross join clock
    where t.target <> all($4::text[]) and exists (
      select from deliveries d
      where d.target = t.target and d.state = 'pending' and d.next_attempt_at <= clock.now
        and (d.lease_until is null or d.lease_until <= clock.now) and ${deliverable('d')})
  ), due as materialized (
    select due.id, due.next_attempt_at, due.turn from busy cross join clock cross join lateral (
      select mine.id, mine.next_attempt_at, row_number() over (order by mine.next_attempt_at, mine.id) as turn from (
        select d.id, d.next_attempt_at from deliveries d
        where d.target = busy.target and d.state = 'pending' and d.next_attempt_at <= clock.now
          and (d.lease_until is null or d.lease_until <= clock.now) and ${deliverable('d')}
        order by d.next_attempt_at, d.id
        limit least($3::integer, greatest(1, ceil($1::integer / busy.number::numeric)::integer))
        for update of d skip locked
      ) as mine
    ) as due
  ), chosen as (
    select id from due order by turn, next_attempt_at limit $1::integer
  ), leased as (
    update deliveries d set lease_until = clock.now + make_interval(secs => $2)
    from chosen cross join clock where d.id = chosen.id
    returning d.*
  )
  select l.id, l.decision_id, l.request_id, l.kind, l.target, l.failed_attempts, coalesce(e.url, l.url) as url,
    l.endpoint_id, e.secret as endpoint_secret, c.id as client_id, c.callback_secret,
    concat('{"type":"decision.', n.outcome, '","timestamp":"', ${instantSql('n.decided_at')}, '","data":', n.document::text, '}') as body
  from leased l
  join decisions n on n.id = l.decision_id
  left join webhook_endpoints e on e.id = l.endpoint_id
  left join authorization_requests r on r.id = l.request_id and l.kind = 'callback'
  left join api_clients c on c.id = r.api_client_id
  order by l.next_attempt_at, l.id`,
);

// A delivery that was settled meanwhile (by the holder of a later lease, or because its endpoint is gone) stays settled.
const finishDeliveries = statement(
  'finish_deliveries',
  /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id uuid, at timestamptz, duration_ms integer, status integer, problem text, state text, retry_in_seconds float8)
  ), locked as materialized (
    select id from deliveries where id in (select id from input) order by id for update
  ), logged as (
    insert into delivery_attempts (delivery_id, at, duration_ms, status, problem)
    select input.id, input.at, input.duration_ms, input.status, input.problem
    from input join locked using (id) order by input.at
  )
  update deliveries d set
    state = input.state,
    failed_attempts = d.failed_attempts + case when input.state = 'delivered' then 0 else 1 end,
    next_attempt_at = case when input.state = 'pending'
      then clock_timestamp() + make_interval(secs => input.retry_in_seconds) end,
    lease_until = null
  from input join locked using (id)
  where d.id = input.id and d.state = 'pending'`,
);

// A lease that runs is looked at only when it ends.
const selectNextDue = statement(
  'select_next_due',
  /* sql */ `
  select least(
    (select d.next_attempt_at from deliveries d
      where d.state = 'pending' and (d.lease_until is null or d.lease_until <= clock_timestamp()) and ${deliverable('d')}
      order by d.next_attempt_at limit 1),
    (select d.lease_until from deliveries d
      where d.state = 'pending' and d.lease_until > clock_timestamp() and ${deliverable('d')}
      order by d.lease_until limit 1)
  ) as due_at`,
);

const deliveryColumns = /* sql */ `
  select d.id, d.decision_id, coalesce(e.url, d.url) as url, d.state, d.next_attempt_at, d.created_at,
    coalesce((
      select json_agg(json_build_object('at', a.at, 'status', a.status, 'problem', a.problem, 'durationMs', a.duration_ms)
        order by a.position)
      from delivery_attempts a where a.delivery_id = d.id
    ), '[]') as attempts
  from deliveries d left join webhook_endpoints e on e.id = d.endpoint_id`;

const selectOfRequest = statement(
  'select_deliveries_of_request',
  `${deliveryColumns} where d.request_id = $1::uuid order by d.created_at, d.id`,
);

// The ids are random, so the page goes on after the creation time and id of the row that the cursor names.
const selectOfEndpoint = statement(
  'select_deliveries_of_endpoint',
  `${deliveryColumns}
  where d.endpoint_id = $1::uuid
    and ($2::uuid is null or (d.created_at, d.id) < (select c.created_at, c.id from deliveries c where c.id = $2))
  order by d.created_at desc, d.id desc limit $3::integer`,
);
