import { isAway } from './errors.js';
import { erasePortion, eraseRequests } from './requests/erase-requests.js';
import { statement, type Statement } from './sql.js';
import type { StoreContext } from './store-context.js';
import { warnOfExpiringKeyPairs } from './stores/key-pair-warnings.js';

/** How many days what is kept; a day is 24 hours. */
export interface Retention {
  /** What names the person, after the end of the request: hints, attributes, messages, subjects. */
  readonly personalDays: number;
  /** Requests whole, with their decisions, after their end. */
  readonly requestsDays: number;
  readonly timelinesDays: number;
  /** Deliveries that are over, with their attempts. */
  readonly deliveriesDays: number;
  /** Events that were published. */
  readonly eventsDays: number;
  /** What tells a repeated event. */
  readonly inboxDays: number;
}

const defaultRetention: Retention = {
  personalDays: 90,
  requestsDays: 365,
  timelinesDays: 365,
  deliveriesDays: 30,
  eventsDays: 30,
  inboxDays: 7,
};

export interface HousekeepingOptions {
  readonly retention?: Retention | undefined;
  /** Ends the work after the portion that is being done. */
  readonly signal?: AbortSignal | undefined;
  /** How many portions each job does at most; what is left is the next call's. */
  readonly maxPortions?: number | undefined;
  /** Waited for between two portions, told how long the one before took, in ms; nothing is waited for unless given. */
  readonly rest?: ((tookMs: number) => Promise<void>) | undefined;
  /** Told of each job that failed; the others are done all the same. Without it the first failure is thrown at the end. */
  readonly onFailure?: ((job: string, error: unknown) => void) | undefined;
  /** The clock by which certificates end; the one of this process unless given. */
  readonly now?: (() => Date) | undefined;
}

/**
 * Prunes what has served its time, and warns of what is about to end. In small portions, each a transaction of its own: locks are short, rows that somebody
 * holds are left for the next time, and whatever ends the work half-way loses nothing. A job that fails does not keep the
 * others from their work; only a database that is away ends the round, by a throw.
 */
export async function housekeep(context: StoreContext, options: HousekeepingOptions = {}): Promise<void> {
  const { signal, onFailure } = options;
  const failures: unknown[] = [];
  for (const job of jobs) {
    if (signal?.aborted === true) break;
    try {
      await doJob(job, context, options);
    } catch (error) {
      if (isAway(error)) throw error;
      failures.push(error);
      onFailure?.(job.name, error);
    }
  }
  if (failures.length > 0 && onFailure === undefined) throw failures[0];
}

async function doJob(job: Job, context: StoreContext, options: HousekeepingOptions): Promise<void> {
  const { retention = defaultRetention, signal, maxPortions = 100, rest, now = () => new Date() } = options;
  for (let portion = 0; portion < maxPortions && signal?.aborted !== true; portion++) {
    const startedMs = performance.now();
    if ((await job.run(context, retention, now())) < job.portion) return;
    await rest?.(performance.now() - startedMs);
  }
}

interface Job {
  readonly name: string;
  readonly portion: number;
  /** Answers how many rows it did. */
  readonly run: (context: StoreContext, retention: Retention, now: Date) => Promise<number>;
}

const pruning = (named: Statement, portion: number, days: (retention: Retention) => number | null): Job => ({
  name: named.name.replace(/^assent_/, ''),
  portion,
  run: async ({ sql }, retention) => {
    const number = days(retention);
    return sql.count(named, number === null ? [portion] : [portion, number]);
  },
});

const expired = `$2::double precision * interval '1 day'`;

const pruneInbox = statement(
  'prune_inbox',
  /* sql */ `
  delete from inbox where (consumer, event_id) in (
    select consumer, event_id from inbox where handled_at < now() - ${expired}
    order by handled_at limit $1::integer for update skip locked)`,
);

const pruneOutbox = statement(
  'prune_outbox',
  /* sql */ `
  delete from outbox where id in (
    select id from outbox where published_at < now() - ${expired}
    order by published_at limit $1::integer for update skip locked)`,
);

// A token without an expiry goes a day after its approval could be consumed; one that nobody consumed in time, at once.
const purgeTokens = statement(
  'purge_tokens',
  /* sql */ `
  update authorization_requests set released_token = null, released_token_expires_at = null where id in (
    select id from authorization_requests where released_token is not null and (
      released_token_expires_at <= now()
      or (released_token_expires_at is null and consume_by < now() - interval '1 day')
      or (consumed_at is null and consume_by <= now()))
    limit $1::integer for update skip locked)`,
);

const pruneInstances = statement(
  'prune_instances',
  /* sql */ `
  delete from poller_instances where id in (
    select id from poller_instances where seen_until < now() - interval '1 hour' limit $1::integer for update skip locked)`,
);

const pruneDeliveries = statement(
  'prune_deliveries',
  /* sql */ `
  delete from deliveries where id in (
    select id from deliveries where state <> 'pending' and created_at < now() - ${expired}
    order by created_at limit $1::integer for update skip locked)`,
);

// What waits for an endpoint that is disabled waits no longer than what is over is kept: a decision names a person.
const endAbandoned = statement(
  'end_abandoned_deliveries',
  /* sql */ `
  update deliveries set state = 'exhausted', next_attempt_at = null, lease_until = null where id in (
    select waiting.id from webhook_endpoints e cross join lateral (
      select d.id from deliveries d
      where d.endpoint_id = e.id and d.state = 'pending' and d.created_at < now() - ${expired}
      order by d.created_at limit $1::integer for update skip locked) as waiting
    where not e.enabled limit $1::integer)`,
);

const pruneNotices = statement(
  'prune_webhook_notices',
  /* sql */ `
  delete from webhook_notices where id in (
    select n.id from webhook_notices n
    where n.occurred_at < now() - ${expired} and not exists (select from deliveries d where d.notice_id = n.id)
    order by n.occurred_at limit $1::integer for update skip locked)`,
);

// Positions grow with time: the oldest are looked at, and left when they are not old enough, or not in the audit log yet.
const pruneTimelines = statement(
  'prune_timelines',
  /* sql */ `
  delete from request_timeline where position in (
    select position from (select position, at from request_timeline order by position limit $1::integer) as oldest
    where at < now() - ${expired} and position <= (select through_position from audit_cursor))`,
);

// Of requests that were erased within a day of their call; each key has a day of its own.
const forgetKeys = statement(
  'forget_keys',
  /* sql */ `
  update authorization_requests set idempotency_key = null, body_hash = '' where id in (
    select id from authorization_requests
    where erased_at is not null and idempotency_key is not null and created_at < now() - interval '1 day'
    order by created_at limit $1::integer for update skip locked)`,
);

const forgetConsumeKeys = statement(
  'forget_consume_keys',
  /* sql */ `
  update authorization_requests set consume_key = null where id in (
    select id from authorization_requests
    where erased_at is not null and consume_key is not null and consumed_at < now() - interval '1 day'
    order by consumed_at limit $1::integer for update skip locked)`,
);

const forgetJoined = statement(
  'forget_joined_requests',
  /* sql */ `
  delete from joined_requests where (api_client_id, idempotency_key) in (
    select api_client_id, idempotency_key from joined_requests where forget_at <= now()
    order by forget_at limit $1::integer for update skip locked)`,
);

// What is still being delivered, is not in the audit log yet, or was asked less than a day ago under an idempotency key,
// stays a little longer. The
// ids grow with time, so the oldest are found by the primary key.
const pruneRequests = statement(
  'prune_requests',
  /* sql */ `
  with old as materialized (
    select r.id, r.decision_id from authorization_requests r
    where r.id < (lpad(to_hex(floor(extract(epoch from now() - ${expired}) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
      and r.ended_at < now() - ${expired} and r.created_at < now() - interval '1 day' and r.decision_id is not null
      and not exists (select from deliveries d where d.request_id = r.id and d.state = 'pending')
      and not exists (
        select from request_timeline t, audit_cursor c where t.request_id = r.id and t.position > c.through_position)
    order by r.id limit $1::integer for update skip locked
  ), delivered as (
    delete from deliveries d using old where d.request_id = old.id
  ), decided as (
    delete from decisions d using old where d.id = old.decision_id
  ), told as (
    delete from request_timeline t using old where t.request_id = old.id
  ), attempted as (
    delete from start_attempts a using old where a.request_id = old.id
  ), joined as (
    delete from joined_requests j using old where j.request_id = old.id
  )
  delete from authorization_requests r using old where r.id = old.id`,
);

// Of versions that nobody asks under any more.
const pruneRefusals = statement(
  'prune_client_refusals',
  /* sql */ `
  delete from client_refusals where (rule_id, rule_version, call) in (
    select rule_id, rule_version, call from client_refusals where last_at < now() - interval '30 days'
    limit $1::integer for update skip locked)`,
);

const pruneMeters = statement(
  'prune_meters',
  /* sql */ `
  delete from prompt_meters where (kind, id) in (
    select kind, id from prompt_meters where minute < now() - interval '1 hour' limit $1::integer for update skip locked)`,
);

const pruneSessions = statement(
  'prune_console_sessions',
  /* sql */ `
  delete from console_sessions where id in (
    select id from console_sessions where idle_until <= now()
    order by idle_until limit $1::integer for update skip locked)`,
);

const pruneLogins = statement(
  'prune_console_logins',
  /* sql */ `
  delete from console_logins where secret_hash in (
    select secret_hash from console_logins where expires_at <= now()
    order by expires_at limit $1::integer for update skip locked)`,
);

const forgetAudited = statement(
  'forget_audited_persons',
  /* sql */ `
  update audit_events set personal = null, personal_salt = null where id in (
    select id from audit_events where personal is not null and at < now() - ${expired}
    order by at limit $1::integer for update skip locked)`,
);

const lockNamed = /* sql */ `
  select id from authorization_requests
  where ended_at is not null and erased_at is null and decision_id is not null and ended_at < now() - ${expired}
    and not exists (select from deliveries d where d.request_id = authorization_requests.id and d.state = 'pending')
  order by ended_at limit $1::integer for update skip locked`;

const eraseNamed: Job = {
  name: 'erase_named',
  portion: erasePortion,
  run: (context, { personalDays }) =>
    context.sql.transaction(async (client) => {
      const { rows } = await client.query<{ id: string }>(lockNamed, [erasePortion, personalDays]);
      await eraseRequests(
        context,
        client,
        rows.map(({ id }) => id),
      );
      return rows.length;
    }),
};

const warnOfExpiry: Job = {
  name: 'warn_of_expiring_key_pairs',
  portion: 100,
  run: (context, _, now) => warnOfExpiringKeyPairs(context, now, 100),
};

const jobs: readonly Job[] = [
  pruning(purgeTokens, 1_000, () => null),
  pruning(pruneInbox, 2_000, ({ inboxDays }) => inboxDays),
  // The event of a decision holds its document: it never outlives what names the person.
  pruning(pruneOutbox, 2_000, ({ eventsDays, personalDays }) => Math.min(eventsDays, personalDays)),
  pruning(endAbandoned, 1_000, ({ deliveriesDays, personalDays }) => Math.min(deliveriesDays, personalDays)),
  pruning(pruneDeliveries, 1_000, ({ deliveriesDays }) => deliveriesDays),
  pruning(pruneNotices, 1_000, ({ deliveriesDays }) => deliveriesDays),
  eraseNamed,
  pruning(forgetAudited, 1_000, ({ personalDays }) => personalDays),
  pruning(forgetKeys, 1_000, () => null),
  pruning(forgetConsumeKeys, 1_000, () => null),
  pruning(forgetJoined, 1_000, () => null),
  pruning(pruneRequests, 500, ({ requestsDays }) => requestsDays),
  pruning(pruneTimelines, 2_000, ({ timelinesDays }) => timelinesDays),
  pruning(pruneMeters, 1_000, () => null),
  pruning(pruneRefusals, 1_000, () => null),
  pruning(pruneInstances, 1_000, () => null),
  pruning(pruneSessions, 1_000, () => null),
  pruning(pruneLogins, 1_000, () => null),
  warnOfExpiry,
];
