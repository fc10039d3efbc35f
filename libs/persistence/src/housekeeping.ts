import { statement, type Sql } from './sql.js';

/** Prunes what has served its time: the inbox after 7 days, published events after 30, tokens that have expired. */
export async function housekeep(sql: Sql): Promise<void> {
  for (const job of jobs) {
    // However much has come together since the last time: what is left over would pile up.
    while ((await sql.count(job)) >= portion);
  }
}

// In portions: a long delete would hold its locks, and its snapshot, for as long.
const portion = 10_000;

const jobs = [
  statement(
    'prune_inbox',
    `delete from inbox where (consumer, event_id) in (
      select consumer, event_id from inbox where handled_at < clock_timestamp() - interval '7 days' limit ${portion})`,
  ),
  statement(
    'prune_outbox',
    `delete from outbox where id in (
      select id from outbox where published_at < clock_timestamp() - interval '30 days' limit ${portion})`,
  ),
  // A token without an expiry goes a day after its approval could be consumed; one that nobody consumed in time, at once.
  statement(
    'purge_tokens',
    `update authorization_requests set released_token = null, released_token_expires_at = null where id in (
      select id from authorization_requests where released_token is not null and (
        released_token_expires_at <= clock_timestamp()
        or (released_token_expires_at is null and consume_by < clock_timestamp() - interval '1 day')
        or (consumed_at is null and consume_by <= clock_timestamp())) limit ${portion})`,
  ),
  statement('prune_instances', `delete from poller_instances where seen_until < clock_timestamp() - interval '1 hour'`),
];
