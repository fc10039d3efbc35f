import { provesPerRequest, requestedScope, type Attributes, type RuleDefinition } from '#lib/domain';
import { isSealed } from '../errors.js';
import { isUuid } from '../paging.js';
import { anyOf, hex, statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { RuleVersions } from '../stores/rule-versions.js';
import type { AskedRequest, PendingReading, PendingWork } from './request.types.js';
import { heldAnswerPlace, requestPlace } from './sealed-columns.js';

export type PendingSelection =
  { readonly ids: readonly string[] } | { readonly shards: readonly number[]; readonly exceptIds?: readonly string[] };

/** What the pollers read of the requests that wait for their person, and the answers they keep for later. */
export class PendingWorkReader {
  constructor(
    private readonly context: StoreContext,
    private readonly ruleVersions: RuleVersions,
  ) {}

  async read(which: PendingSelection): Promise<PendingReading> {
    const rows =
      'ids' in which
        ? await this.context.sql.rows<PendingRow>(selectPendingByIds, [which.ids.filter(isUuid)])
        : await this.context.sql.rows<PendingRow>(selectPendingByShards, [which.shards, which.exceptIds ?? []]);
    const definitions = await this.ruleVersions.definitions(
      rows.map((row) => ({ id: row.rule_id, version: row.rule_version })),
    );
    const work: PendingWork[] = [];
    const unreadable: Array<PendingReading['unreadable'][number]> = [];
    for (const row of rows) {
      try {
        work.push(this.toWork(row, definitions));
      } catch (error) {
        // One row that does not open must not hold up all the others.
        if (!isSealed(error)) throw error;
        unreadable.push({ requestId: row.id, shard: row.shard, expiresAt: row.expires_at });
      }
    }
    return { databaseNow: rows[0]?.database_now ?? null, work, unreadable };
  }

  async pushed(ids: readonly string[]): Promise<string[]> {
    const rows = await this.context.sql.rows<{ request_id: string }>(selectPushed, [ids]);
    return rows.map((row) => row.request_id);
  }

  async asked(requestId: string): Promise<AskedRequest | null> {
    const row = await this.context.sql.row<AskedRow>(selectAsked, [requestId]);
    if (row === null) return null;
    const open = (column: 'attributes' | 'login_hint') =>
      this.context.sealing.open(row[column], requestPlace(column, requestId));
    return {
      definition: row.definition,
      attributes: JSON.parse(open('attributes')) as Attributes,
      loginHint: open('login_hint'),
    };
  }

  async hold(requestId: string, answer: object): Promise<void> {
    const sealed = this.context.sealing.seal(JSON.stringify(answer), heldAnswerPlace(requestId));
    await this.context.sql.rows(holdAnswer, [requestId, hex(sealed)]);
  }

  private toWork(row: PendingRow, definitions: Awaited<ReturnType<RuleVersions['definitions']>>): PendingWork {
    const { sealing } = this.context;
    const definition = definitions.of({ id: row.rule_id, version: row.rule_version });
    return {
      requestId: row.id,
      shard: row.shard,
      rule: { id: row.rule_id, version: row.rule_version },
      tokenProviderId: row.token_provider_id,
      clientId: definition.clientId,
      requestedScope: requestedScope(definition.scopes),
      acrValues: definition.acrValues,
      releaseAccessToken: definition.releaseAccessToken,
      consumeWithinSeconds: definition.consumeWithinSeconds,
      provesPerRequest: provesPerRequest(definition),
      authReqId: sealing.open(row.auth_req_id, requestPlace('auth_req_id', row.id)),
      sentAt: row.sent_at,
      expiresAt: row.expires_at,
      intervalSeconds: row.interval_seconds,
      deliveryMode: definition.deliveryMode,
      pingedAt: row.pinged_at,
      heldAnswer:
        row.held_answer === null || row.held_at === null
          ? null
          : {
              answer: JSON.parse(sealing.open(row.held_answer, heldAnswerPlace(row.id))) as object,
              receivedAt: row.held_at,
            },
    };
  }
}

interface PendingRow {
  readonly database_now: Date;
  readonly id: string;
  readonly shard: number;
  readonly rule_id: string;
  readonly rule_version: number;
  readonly token_provider_id: string;
  readonly auth_req_id: Buffer;
  readonly sent_at: Date;
  readonly expires_at: Date;
  readonly interval_seconds: number;
  readonly pinged_at: Date | null;
  readonly held_answer: Buffer | null;
  readonly held_at: Date | null;
}

interface AskedRow {
  readonly definition: RuleDefinition;
  readonly attributes: Buffer;
  readonly login_hint: Buffer;
}

const selectAsked = statement(
  'select_asked',
  /* sql */ `
  select v.definition, r.attributes, r.login_hint
  from authorization_requests r
  join rule_versions v on v.rule_id = r.rule_id and v.version = r.rule_version
  where r.id = $1::uuid`,
);

// The statement's beginning, before any row is read: whoever counts from it waits rather too long than too short.
const pendingAmong = (requests: string): string => /* sql */ `
  select statement_timestamp() as database_now, r.id, r.shard, r.rule_id, r.rule_version, r.token_provider_id,
    r.auth_req_id, r.sent_at, r.expires_at, r.interval_seconds, r.pinged_at, h.answer as held_answer,
    h.received_at as held_at
  from ${requests} r left join held_answers h on h.request_id = r.id
  where r.status = 'pending'`;

// Behind the offset the status is looked at only: planned while few are pending, the statement would go on to read all of them.
const selectPendingByIds = statement(
  'select_pending_by_ids',
  pendingAmong(`(select * from authorization_requests where id = ${anyOf('$1', 'uuid')} offset 0)`),
);

const selectPendingByShards = statement(
  'select_pending_by_shards',
  `${pendingAmong('authorization_requests')} and r.shard = any($1::smallint[])
    and not exists (select from unnest($2::uuid[]) as known (id) where known.id = r.id)`,
);

const selectPushed = statement(
  'select_pushed',
  'select request_id from held_answers where request_id = any($1::uuid[])',
);

// The status is judged under the row's lock: an answer is never kept beyond the end of its request.
const holdAnswer = statement(
  'hold_answer',
  /* sql */ `
  with locked as materialized (
    select id from authorization_requests where id = $1::uuid and status = 'pending' for update
  )
  insert into held_answers (request_id, answer, received_at)
  select id, $2::bytea, clock_timestamp() from locked
  on conflict (request_id) do nothing`,
);
