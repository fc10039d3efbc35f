import type { CloudEvent } from '#lib/contracts';
import type { Outbox } from '../outbox.types.js';
import { anyOf, type Sql, statement } from '../sql.js';
import type { StoredEvent } from '../stored-event.js';

/** The outbox in Postgres. */
export class PostgresOutbox implements Outbox {
  constructor(private readonly sql: Sql) {}

  async settle(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.sql.rows(settleRows, [ids]);
  }

  async sweep(
    options: { readonly limit: number; readonly olderThanMs: number },
    publish: (events: readonly StoredEvent[]) => Promise<readonly string[]>,
  ): Promise<number> {
    // Should the server roll this back, what was published is published again: that much every consumer bears.
    return this.sql.transaction(async (client) => {
      // The broker may take its time to confirm; its own limits end the wait.
      await client.query(`set local idle_in_transaction_session_timeout = '120s'`);
      const { rows } = await client.query<OutboxRow>(claimRows, [options.limit, options.olderThanMs]);
      if (rows.length === 0) return 0;
      const published = await publish(rows.map(toStoredEvent));
      await client.query(markTried, [rows.map(({ id }) => id), published]);
      return rows.length;
    });
  }

  async waiting(): Promise<{ events: number; oldestSeconds: number }> {
    const [row] = await this.sql.rows<{ events: number; oldest_seconds: number }>(countWaiting, []);
    return { events: row!.events, oldestSeconds: row!.oldest_seconds };
  }
}

interface OutboxRow {
  readonly id: string;
  readonly exchange: StoredEvent['outgoing']['exchange'];
  readonly routing_key: string;
  readonly event: CloudEvent;
}

const toStoredEvent = ({ id, exchange, routing_key, event }: OutboxRow): StoredEvent => ({
  id,
  outgoing: { exchange, routingKey: routing_key, event },
});

// Behind the offset whether it is published is looked at only: planned while all are, the statement would read all that are
// not, for as long as the broker is away.
const settleRows = statement(
  'settle_outbox',
  /* sql */ `
  update outbox set published_at = clock_timestamp()
  where id in (
    select id from (
      select id, published_at from outbox where id = ${anyOf('$1', 'uuid')} order by id offset 0 for update skip locked
    ) as held where published_at is null)`,
);

// Bounded, so that a look stays cheap however long the broker has been away.
const countWaiting = statement(
  'count_outbox',
  /* sql */ `
  select count(*)::integer as events,
    coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::double precision as oldest_seconds
  from (select created_at from outbox where published_at is null limit 100000) waiting`,
);

// What was tried in vain goes behind what was never tried: an event that no queue takes must not hold up the others.
const claimRows = /* sql */ `
  select id, exchange, routing_key, event from outbox
  where published_at is null and created_at < clock_timestamp() - $2::integer * interval '1 millisecond'
  order by tried_at nulls first, id limit $1::integer for update skip locked`;

const markTried = /* sql */ `
  update outbox set
    published_at = case when id = any($2::uuid[]) then clock_timestamp() end,
    tried_at = case when id = any($2::uuid[]) then tried_at else clock_timestamp() end
  where id = any($1::uuid[])`;
