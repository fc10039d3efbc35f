import { overviewWindows, type Overview, type OverviewWindow } from '#lib/contracts';
import { outcomes, type Outcome } from '#lib/domain';
import { ShortCache } from '../short-cache.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { OverviewStore } from './console.types.js';
import { providerHealth } from './provider-health.js';

/** A certificate that ends so soon is shown. */
const expiringDays = 30;

/** For how long the same overview is shown: the longer the time that it covers, the more is read, and the less changes. */
const rememberedMs: Readonly<Record<OverviewWindow, number>> = { '1h': 2_000, '24h': 10_000, '7d': 30_000 };

/** The overview, read from the tables themselves, and remembered for a moment. */
export class PostgresOverviewStore implements OverviewStore {
  private readonly caches = new Map<OverviewWindow, ShortCache<Overview>>();

  constructor(private readonly context: Pick<StoreContext, 'sql'>) {}

  async read(window: OverviewWindow, nowMs: number): Promise<Overview> {
    const cache = this.caches.get(window) ?? new ShortCache<Overview>({ ttlMs: rememberedMs[window], maxEntries: 1 });
    this.caches.set(window, cache);
    return (await cache.get(window, () => this.compose(window, nowMs)))!;
  }

  private async compose(window: OverviewWindow, nowMs: number): Promise<Overview> {
    const { sql } = this.context;
    const { buckets: number, bucketSeconds } = overviewWindows[window];
    const bucketMs = bucketSeconds * 1000;
    // The last part holds this moment.
    const sinceMs = (Math.floor(nowMs / bucketMs) + 1 - number) * bucketMs;
    const since = new Date(sinceMs);
    const [counts, open, providers, keyPairs, endpoints, steps] = await Promise.all([
      sql.rows<CountRow & { at: Date | null }>(countRequests, [since, bucketSeconds]),
      sql.row<{ pending: string }>(countOpen),
      sql.rows<ProviderRow>(judgeProviders, [since]),
      sql.rows<{ id: string; alias: string; not_after: string }>(expiringKeyPairs, [expiringDays]),
      sql.rows<EndpointRow>(failingEndpoints),
      sql.row<Record<keyof Overview['firstSteps'], boolean>>(firstSteps),
    ]);
    const byTime = new Map(counts.map((row) => [row.at?.getTime() ?? null, row]));
    return {
      window,
      since: since.toISOString(),
      at: new Date(nowMs).toISOString(),
      ...figuresOf(byTime.get(null)),
      pendingNow: Number(open!.pending),
      buckets: Array.from({ length: number }, (_, index) => {
        const { outcomes, approvalTime } = figuresOf(byTime.get(sinceMs + index * bucketMs));
        return { from: new Date(sinceMs + index * bucketMs).toISOString(), outcomes, approvalTime };
      }),
      providers: providers.map(toProvider),
      expiringKeyPairs: keyPairs.map(({ id, alias, not_after }) => ({ id, alias, notAfter: not_after })),
      failingEndpoints: endpoints.map(toEndpoint),
      firstSteps: steps!,
    };
  }
}

type CountRow = Record<Outcome, string> & {
  readonly accepted: string;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
};

const figuresOf = (row: CountRow | undefined) => ({
  accepted: Number(row?.accepted ?? 0),
  outcomes: Object.fromEntries(outcomes.map((outcome) => [outcome, Number(row?.[outcome] ?? 0)])) as Record<
    Outcome,
    number
  >,
  approvalTime: { p50Ms: row?.p50_ms ?? null, p95Ms: row?.p95_ms ?? null },
});

interface ProviderRow {
  readonly id: string;
  readonly name: string;
  readonly asked: string;
  readonly failed: string;
  readonly last_asked_at: Date | null;
  readonly refused_rules: { id: string; name: string; error: string }[];
}

function toProvider(row: ProviderRow): Overview['providers'][number] {
  const figures = { asked: Number(row.asked), failed: Number(row.failed), refusedRules: row.refused_rules };
  const lastAskedAt = row.last_asked_at?.toISOString() ?? null;
  return { id: row.id, name: row.name, ...figures, lastAskedAt, health: providerHealth(figures) };
}

interface EndpointRow {
  readonly id: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly disabled_reason: 'gone' | 'failing' | null;
  readonly failing_since: Date | null;
}

const toEndpoint = ({ id, url, enabled, disabled_reason, failing_since }: EndpointRow) => ({
  ...{ id, url, enabled, disabledReason: disabled_reason },
  failingSince: failing_since?.toISOString() ?? null,
});

// The ids grow with time: the window is a range of the primary key, whatever else the table holds. An id is made a
// moment before its row.
const inWindow = /* sql */ `
  r.id >= (lpad(to_hex(floor(extract(epoch from $1::timestamptz - interval '5 minutes') * 1000)::bigint), 12, '0')
    || '70008000000000000000')::uuid
  and r.created_at >= $1::timestamptz`;

const tookMs = `extract(epoch from r.ended_at - r.created_at) * 1000`;

const figures = /* sql */ `
  count(*) as accepted,
  ${outcomes.map((outcome) => `count(*) filter (where r.status = '${outcome}') as ${outcome}`).join(', ')},
  percentile_cont(0.5) within group (order by ${tookMs}) filter (where r.status = 'approved') as p50_ms,
  percentile_cont(0.95) within group (order by ${tookMs}) filter (where r.status = 'approved') as p95_ms`;

// Each part of the time, and all of it (null), in one pass.
const countRequests = statement(
  'overview_counts',
  /* sql */ `
  select date_bin(make_interval(secs => $2::integer), r.created_at, $1::timestamptz) as at, ${figures}
  from authorization_requests r where ${inWindow} group by grouping sets ((1), ())`,
);

const countOpen = statement(
  'overview_open',
  /* sql */ `
  select (select count(*) from authorization_requests where status = 'pending')
    + (select count(*) from authorization_requests where status = 'requested') as pending`,
);

const judgeProviders = statement(
  'overview_providers',
  /* sql */ `
  select p.id, p.name, coalesce(seen.asked, 0) as asked, coalesce(seen.failed, 0) as failed, seen.last_asked_at,
    coalesce((
      select json_agg(json_build_object('id', u.id, 'name', u.name, 'error', f.error) order by u.name)
      from client_refusals f join rules u on u.id = f.rule_id and u.version = f.rule_version
      where f.token_provider_id = p.id
    ), '[]') as refused_rules
  from token_providers p
  left join (
    select r.token_provider_id as id, count(*) filter (where r.status <> 'requested') as asked,
      count(*) filter (where r.reason in ('provider_error', 'provider_rejected', 'configuration_error',
        'initiation_unknown', 'outcome_unknown', 'invalid_evidence')) as failed,
      max(r.sent_at) as last_asked_at
    from authorization_requests r where ${inWindow} group by 1
  ) as seen on seen.id = p.id
  order by p.name limit 100`,
);

const expiringKeyPairs = statement(
  'overview_key_pairs',
  /* sql */ `
  select id, alias, facts->>'notAfter' as not_after from key_pairs
  where (facts->>'notAfter')::timestamptz < now() + $1::integer * interval '1 day'
  order by 3 limit 100`,
);

const failingEndpoints = statement(
  'overview_endpoints',
  /* sql */ `
  select id, url, enabled, disabled_reason, failing_since from webhook_endpoints
  where failing_since is not null or disabled_reason is not null order by failing_since nulls last limit 100`,
);

const firstSteps = statement(
  'overview_first_steps',
  /* sql */ `
  select exists (select from token_providers) as "tokenProvider", exists (select from rules) as rule,
    exists (select from authorization_requests) as request,
    exists (select from authorization_requests where evidence is not null and erased_at is null) as approval,
    exists (select from webhook_endpoints) as "webhookEndpoint", exists (select from api_clients) as "apiClient"`,
);
