import type { Fence } from '#lib/domain';
import { NaturalBatcher } from '../natural-batcher.js';
import { statement, type Sql } from '../sql.js';

/** An interval that a provider has raised. */
export interface RaisedInterval {
  readonly requestId: string;
  readonly intervalSeconds: number;
  /** Only the owner of the shard hears a provider's `slow_down`. */
  readonly fence: Fence;
}

/** Keeps intervals that providers raised, so that the next owner of a request polls no faster than this one did. */
export class SlowDown {
  private readonly batcher: NaturalBatcher<RaisedInterval, void>;

  constructor(private readonly sql: Sql) {
    this.batcher = new NaturalBatcher({
      name: 'keeping raised intervals',
      run: (raised) => this.keep(raised),
      lanes: 1,
    });
  }

  run(raised: RaisedInterval): Promise<void> {
    return this.batcher.run(raised);
  }

  private async keep(raised: readonly RaisedInterval[]): Promise<void[]> {
    await this.sql.rows(raiseIntervals, [
      raised.map(({ requestId }) => requestId),
      raised.map(({ intervalSeconds }) => intervalSeconds),
      raised.map(({ fence }) => fence.shard),
      raised.map(({ fence }) => fence.owner),
      raised.map(({ fence }) => fence.epoch),
    ]);
    return raised.map(() => undefined);
  }
}

// A row that is locked is about to end: it is not waited for. No version grows, for no document shows the interval.
const raiseIntervals = statement(
  'raise_intervals',
  /* sql */ `
  with raised as (
    select input.id, max(input.seconds) as seconds
    from unnest($1::uuid[], $2::integer[], $3::smallint[], $4::text[], $5::integer[])
      as input (id, seconds, shard, owner, epoch)
    join poller_shards s on s.shard = input.shard and s.owner = input.owner and s.epoch = input.epoch
    group by input.id
  ), locked as materialized (
    select r.id from authorization_requests r join raised using (id)
    where r.status = 'pending' and r.interval_seconds < raised.seconds
    order by r.id for update of r skip locked
  )
  update authorization_requests r set interval_seconds = greatest(r.interval_seconds, raised.seconds)
  from locked join raised using (id) where r.id = locked.id`,
);
