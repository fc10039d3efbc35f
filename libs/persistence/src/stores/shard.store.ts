import { statement, type Sql } from '../sql.js';
import type { OwnedShard, ShardStore } from './work.types.js';

/** Shard leases in Postgres. Rows are always locked in the order of their shards. */
export class PostgresShardStore implements ShardStore {
  constructor(private readonly sql: Sql) {}

  async renew(owner: string, leaseMs: number) {
    const row = await this.sql.row<RenewRow>(renewShards, [owner, leaseMs]);
    return {
      databaseNow: row!.database_now,
      leaseUntil: row!.lease_until,
      owned: row!.owned.map(toOwned),
      liveInstances: row!.live_instances,
      unowned: row!.unowned,
    };
  }

  async takeLapsed(owner: string, limit: number, leaseMs: number) {
    const row = await this.sql.row<{ database_now: Date; taken: OwnedJson[] }>(takeShards, [owner, limit, leaseMs]);
    return { databaseNow: row!.database_now, taken: row!.taken.map(toOwned) };
  }

  async release(owner: string, shards: readonly number[], clean: boolean): Promise<void> {
    if (shards.length > 0) await this.sql.rows(releaseShards, [owner, shards, clean]);
  }

  async leave(owner: string): Promise<void> {
    await this.sql.rows(leaveInstances, [owner]);
  }
}

interface OwnedJson {
  readonly shard: number;
  readonly epoch: number;
  readonly unclean_takeover_at: string | null;
}

interface RenewRow {
  readonly database_now: Date;
  readonly lease_until: Date;
  readonly owned: OwnedJson[];
  readonly live_instances: number;
  readonly unowned: number;
}

const toOwned = ({ shard, epoch, unclean_takeover_at }: OwnedJson): OwnedShard => ({
  shard,
  epoch,
  uncleanTakeoverAt: unclean_takeover_at === null ? null : new Date(unclean_takeover_at),
});

const ownedJson = (from: string) => /* sql */ `
  coalesce((select json_agg(json_build_object(
    'shard', shard, 'epoch', epoch, 'unclean_takeover_at', unclean_takeover_at) order by shard) from ${from}), '[]')`;

// The clock is read after the rows are locked: a lease never reaches further than it was granted for. The statement
// does not see its own presence, hence the one that is added.
const renewShards = statement(
  'renew_shards',
  /* sql */ `
  with mine as materialized (
    select shard from poller_shards where owner = $1 order by shard for update
  ), clock as materialized (
    select clock_timestamp()::timestamptz(3) as now from (select count(*) from mine) as all_locked
  ), lease as materialized (
    select now + $2::integer * interval '1 millisecond' as ends_at from clock
  ), renewed as (
    update poller_shards s set lease_until = lease.ends_at
    from mine cross join lease where s.shard = mine.shard
    returning s.shard, s.epoch, s.unclean_takeover_at
  ), present as (
    insert into poller_instances (id, seen_until) select $1, ends_at from lease
    on conflict (id) do update set seen_until = excluded.seen_until
  )
  select clock.now as database_now, lease.ends_at as lease_until, ${ownedJson('renewed')} as owned,
    (select count(*)::integer + 1 from poller_instances i where i.id <> $1 and i.seen_until > clock.now) as live_instances,
    (select count(*)::integer from poller_shards s
      where s.owner is null or (s.lease_until <= clock.now and s.owner <> $1)) as unowned
  from clock cross join lease`,
);

const takeShards = statement(
  'take_shards',
  /* sql */ `
  with free as materialized (
    select shard, owner from poller_shards
    where owner is null or (owner <> $1 and lease_until <= clock_timestamp())
    order by shard limit $2::integer for update skip locked
  ), clock as materialized (
    select clock_timestamp()::timestamptz(3) as now from (select count(*) from free) as all_locked
  ), taken as (
    update poller_shards s set
      owner = $1,
      epoch = s.epoch + 1,
      lease_until = clock.now + $3::integer * interval '1 millisecond',
      unclean_takeover_at = case when free.owner is null then s.unclean_takeover_at else clock.now end
    from free cross join clock where s.shard = free.shard
    returning s.shard, s.epoch, s.unclean_takeover_at
  )
  select clock.now as database_now, ${ownedJson('taken')} as taken from clock`,
);

const releaseShards = statement(
  'release_shards',
  /* sql */ `
  with mine as materialized (
    select shard from poller_shards where owner = $1 and shard = any($2::smallint[]) order by shard for update
  )
  update poller_shards s set
    owner = null,
    lease_until = clock_timestamp(),
    unclean_takeover_at = case when $3::boolean then s.unclean_takeover_at else clock_timestamp() end
  from mine where s.shard = mine.shard`,
);

const leaveInstances = statement('leave_instances', 'delete from poller_instances where id = $1');
