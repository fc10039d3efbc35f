import { anyOf, instantSql, statement } from '../sql.js';
import { storable } from '../storable.js';
import { noticeDelivery } from './notice.store.js';
import type { DeliveryResult } from './work.types.js';

/** A result as `finishDeliveries` reads it. */
export function toFinishInput({ id, at, durationMs, status, problem, outcome, ours = false }: DeliveryResult) {
  const attempt = {
    id,
    at,
    duration_ms: Math.round(durationMs),
    status,
    problem: problem === null ? null : storable(problem),
    ours,
  };
  if (typeof outcome === 'object') return { ...attempt, state: 'pending', retry_in_seconds: outcome.retryInSeconds };
  return { ...attempt, state: outcome === 'delivered' ? 'delivered' : 'exhausted' };
}

// A delivery that was settled meanwhile (by the holder of a later lease, or because its endpoint is gone) stays settled.
// Endpoints are locked before deliveries, as whoever deletes an endpoint does; and only those whose state changes.
// The ids come once more as an array: by it deliveries are looked up, where a join may read them all. Whether they are pending
// is asked of what is locked, for the same reason.
export const finishDeliveries = statement(
  'finish_deliveries',
  /* sql */ `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id uuid, at timestamptz, duration_ms integer, status integer, problem text, ours boolean, state text,
      retry_in_seconds float8)
  ), verdicts as materialized (
    select d.endpoint_id, bool_or(input.state = 'delivered') as reached, bool_or(coalesce(input.status = 410, false)) as gone,
      min(input.at) filter (where input.state <> 'delivered') as failed_at
    from input join deliveries d on d.id = input.id
    where d.id = ${anyOf('$3', 'uuid')} and d.endpoint_id is not null and not input.ours
    group by d.endpoint_id
  ), touched as materialized (
    select e.id from webhook_endpoints e join verdicts v on v.endpoint_id = e.id
    where e.enabled and (v.gone or case when v.reached then e.failing_since is not null
      else e.failing_since is null or e.failing_since <= clock_timestamp() - make_interval(secs => $2::float8) end)
    order by e.id for update of e
  ), judged as (
    update webhook_endpoints e set
      failing_since = case when v.reached then null else coalesce(e.failing_since, v.failed_at) end,
      enabled = not v.gone and (v.reached or e.failing_since is null),
      disabled_reason = case when v.gone then 'gone' when not v.reached and e.failing_since is not null then 'failing' end,
      disabled_at = case when v.gone or (not v.reached and e.failing_since is not null) then clock_timestamp() end,
      version = e.version + case when v.gone or (not v.reached and e.failing_since is not null) then 1 else 0 end
    from touched join verdicts v on v.endpoint_id = touched.id
    where e.id = touched.id and e.enabled
    returning e.id, e.url, e.description, e.disabled_reason, e.disabled_at, e.failing_since
  ), disabled as (
    select * from judged where disabled_reason is not null
  ), notice as (
    insert into webhook_notices (id, type, data)
    select gen_random_uuid(), 'webhook_endpoint.disabled', json_build_object('id', id,
      'host', lower(substring(url from '^[^:]+://([^/?#]+)')), 'description', description, 'reason', disabled_reason,
      'failingSince', ${instantSql('failing_since')}, 'disabledAt', ${instantSql('disabled_at')})
    from disabled
    returning id, type
  ), told as (
    ${noticeDelivery('notice', 'e')}
    from notice join webhook_endpoints e on e.enabled and notice.type = any(e.events)
      and e.id not in (select id from disabled)
  ), locked as materialized (
    select id, state from deliveries
    where id = ${anyOf('$3', 'uuid')} and (select count(*) from touched) >= 0 order by id for update
  ), logged as (
    insert into delivery_attempts (delivery_id, at, duration_ms, status, problem)
    select input.id, input.at, input.duration_ms, input.status, input.problem
    from input join locked using (id) order by input.at
  ), settled as (
    update deliveries d set
      state = input.state,
      failed_attempts = d.failed_attempts + case when input.state = 'delivered' then 0 else 1 end,
      next_attempt_at = case when input.state = 'pending'
        then clock_timestamp() + make_interval(secs => input.retry_in_seconds) end,
      lease_until = null
    from input join locked using (id)
    where d.id = ${anyOf('$3', 'uuid')} and d.id = input.id and locked.state = 'pending'
  )
  select id, disabled_reason as reason from disabled`,
);
