import type { Client } from 'pg';

/** One change of the request, as it was committed. */
export interface ObservedChange {
  readonly position: number;
  readonly at: string;
  readonly before: ObservedRow | null;
  readonly after: ObservedRow;
}

export interface ObservedRow {
  readonly status: string;
  readonly version: number;
  readonly consumed: boolean;
  readonly decision: string | null;
}

export interface ObservedOwner {
  readonly position: number;
  readonly before: { readonly owner: string; readonly epoch: number };
  readonly after: { readonly owner: string; readonly epoch: number };
}

/** Everything that the database says of one request. */
export interface Facts {
  readonly request: {
    readonly status: string;
    readonly reason: string | null;
    readonly state_version: number;
    readonly expires_at: string | null;
    readonly pinged_at: string | null;
    readonly auth_req_id_sha256: string | null;
    readonly id_token_sha256: string | null;
    readonly evidence: { readonly idTokenSha256: string } | null;
    readonly late_evidence: { readonly idTokenSha256: string } | null;
    readonly consume_by: string | null;
    readonly consumed_at: string | null;
    readonly consume_key: string | null;
    readonly released: boolean;
    readonly decision_id: string | null;
    readonly rule_version: number;
  } | null;
  readonly changes: readonly ObservedChange[];
  readonly owners: readonly ObservedOwner[];
  readonly timeline: readonly string[];
  readonly events: ReadonlyArray<{
    readonly exchange: string;
    readonly key: string;
    readonly data: { readonly stateVersion?: number; readonly status?: string; readonly id?: string };
  }>;
  readonly decisions: ReadonlyArray<{ readonly id: string; readonly outcome: string }>;
  readonly deliveries: number;
  readonly attempts: ReadonlyArray<{ readonly id: string; readonly number: number; readonly outcome: string | null }>;
  readonly held: number;
  readonly inbox: number;
}

/** Reads them, all at one moment. */
export async function readFacts(monitor: Client, requestId: string, shard: number): Promise<Facts> {
  const { rows } = await monitor.query<{ facts: Facts }>({
    name: 'facts',
    text: query,
    values: [requestId, `shard ${shard}`],
  });
  return rows[0]!.facts;
}

/** How many requests there are under an idempotency key. */
export async function countUnderKey(monitor: Client, idempotencyKey: string): Promise<number> {
  const { rows } = await monitor.query<{ count: number }>({
    name: 'under_key',
    text: `select count(*)::integer from authorization_requests where idempotency_key = $1`,
    values: [idempotencyKey],
  });
  return rows[0]!.count;
}

/** How many versions a rule has, and which one is the current. */
export async function ruleVersions(monitor: Client, ruleId: string): Promise<{ current: number; versions: number }> {
  const { rows } = await monitor.query<{ current: number; versions: number }>({
    name: 'rule_versions',
    text: `select version as current, (select count(*)::integer from rule_versions where rule_id = $1) as versions from rules where id = $1`,
    values: [ruleId],
  });
  return rows[0]!;
}

const query = /* sql */ `
  select json_build_object(
    'request', (select json_build_object('status', status, 'reason', reason, 'state_version', state_version,
        'expires_at', expires_at, 'pinged_at', pinged_at, 'auth_req_id_sha256', encode(auth_req_id_sha256, 'hex'),
        'id_token_sha256', id_token_sha256, 'evidence', evidence, 'late_evidence', late_evidence,
        'consume_by', consume_by, 'consumed_at', consumed_at, 'consume_key', consume_key,
        'released', released_token is not null, 'decision_id', decision_id, 'rule_version', rule_version)
      from authorization_requests where id = $1),
    'changes', (select coalesce(json_agg(json_build_object('position', position, 'at', at, 'before', before, 'after', after)
        order by position), '[]') from observed where subject = $1::text),
    'owners', (select coalesce(json_agg(json_build_object('position', position, 'before', before, 'after', after)
        order by position), '[]') from observed where subject = $2),
    'timeline', (select coalesce(json_agg(type order by position), '[]') from request_timeline where request_id = $1),
    'events', (select coalesce(json_agg(json_build_object('exchange', exchange, 'key', routing_key, 'data', event->'data')),
        '[]') from outbox where event->>'subject' = $1::text),
    'decisions', (select coalesce(json_agg(json_build_object('id', id, 'outcome', outcome)), '[]')
        from decisions where request_id = $1),
    'deliveries', (select count(*) from deliveries where request_id = $1),
    'attempts', (select coalesce(json_agg(json_build_object('id', id, 'number', number, 'outcome', outcome)
        order by number), '[]') from start_attempts where request_id = $1),
    'held', (select count(*) from held_answers where request_id = $1),
    'inbox', (select count(*) from inbox where event_id = $1::text)
  ) as facts from (select $1::uuid as id) as asked`;
