import { instantSql, statement } from '../sql.js';
import type { DeliveryWork } from './work.types.js';

export interface ClaimRow {
  readonly id: string;
  readonly webhook_id: string;
  readonly request_id: string | null;
  readonly kind: DeliveryWork['kind'];
  readonly endpoint_id: string | null;
  readonly endpoint_secret: Buffer | null;
  /** While a rotation overlaps. */
  readonly endpoint_previous_secret: Buffer | null;
  readonly client_id: string | null;
  readonly callback_secret: Buffer | null;
  readonly url: string;
  readonly body: string;
  readonly target: string;
  readonly failed_attempts: number;
}

// Who may be delivered to now: a disabled endpoint keeps its deliveries until it is enabled again.
export const deliverable = (delivery: string) => /* sql */ `
  not exists (select from webhook_endpoints e where e.id = ${delivery}.endpoint_id and not e.enabled)`;

// The targets are found by skipping through the index, so that a target with a hundred thousand due rows costs no more
// than one with a single row; each target then gets its share of the batch.
export const claimDeliveries = statement(
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
  select l.id, coalesce(l.decision_id, l.notice_id) as webhook_id, l.request_id, l.kind, l.target, l.failed_attempts,
    coalesce(e.url, l.url) as url, l.endpoint_id, e.secret as endpoint_secret,
    case when e.previous_secret_until > clock_timestamp() then e.previous_secret end as endpoint_previous_secret,
    c.id as client_id, c.callback_secret,
    concat('{"type":"', coalesce('decision.' || d.outcome, n.type), '","timestamp":"',
      ${instantSql('coalesce(d.decided_at, n.occurred_at)')}, '","data":', coalesce(d.document, n.data)::text, '}') as body
  from leased l
  left join decisions d on d.id = l.decision_id
  left join webhook_notices n on n.id = l.notice_id
  left join webhook_endpoints e on e.id = l.endpoint_id
  left join authorization_requests r on r.id = l.request_id and l.kind = 'callback'
  left join api_clients c on c.id = r.api_client_id
  order by l.next_attempt_at, l.id`,
);

// A lease that runs is looked at only when it ends.
export const selectNextDue = statement(
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
