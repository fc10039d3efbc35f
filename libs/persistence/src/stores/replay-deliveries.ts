import { statement } from '../sql.js';

// One that is under way keeps its lease: it is sent once more only when the attempt fails.
export const replayDelivery = statement(
  'replay_delivery',
  /* sql */ `
  update deliveries set
    state = 'pending',
    failed_attempts = 0,
    next_attempt_at = clock_timestamp(),
    lease_until = case when state = 'pending' then lease_until end
  where id = $2::uuid and endpoint_id = $1::uuid
  returning id`,
);

export interface ReplayedRow {
  /** One more than was asked for says that there is a next portion. */
  readonly found: number;
  readonly replayed: number;
  readonly last_id: string | null;
}

// Those that somebody holds are under way.
export const replayRange = statement(
  'replay_deliveries',
  /* sql */ `
  with chosen as materialized (
    select d.id, d.created_at from deliveries d
    where d.endpoint_id = $1::uuid and d.created_at >= $2::timestamptz
      and d.created_at < coalesce($3::timestamptz, clock_timestamp())
      and d.state <> 'pending' and ($4::text = 'any' or d.state = $4)
      and ($5::uuid is null or (d.created_at, d.id) > (select c.created_at, c.id from deliveries c where c.id = $5))
    order by d.created_at, d.id limit $6::integer + 1
  ), portion as materialized (
    select id, created_at from chosen order by created_at, id limit $6::integer
  ), replayed as (
    update deliveries d set state = 'pending', failed_attempts = 0, next_attempt_at = clock_timestamp(), lease_until = null
    from portion where d.id = portion.id and d.state <> 'pending'
    returning d.id
  )
  select (select count(*)::integer from chosen) as found, (select count(*)::integer from replayed) as replayed,
    (select id from portion order by created_at desc, id desc limit 1) as last_id`,
);
