import { createPrivateKey, sign } from 'node:crypto';
import type { AuditEvent, AuditHead } from '#lib/contracts';
import { bootstrapClientId } from '#lib/contracts';
import { chainHash, genesisHash, headText, type HeadClaims } from '#lib/domain';
import type { PoolClient } from 'pg';
import type { StoreContext } from '../store-context.js';
import type { SigningKey, SigningKeyStore } from '../stores/work.types.js';
import type { Sealing } from './audit.types.js';
import { toAuditEvent, toAuditHead, type AuditEventRow, type AuditHeadRow } from './audit-rows.js';
import { sha256Text } from './record-audit.js';
import { eventOfTimeline, type DecisiveEntry } from './timeline-events.js';

/** How many events one head seals at most. */
const portion = 500;
/** How many timeline entries are looked at for it. */
const lookedAt = 20_000;

/**
 * Seals the audit log: what administration has written, and what the timelines tell of decisions, becomes part of the
 * chain. Off the hot path: the requests themselves write nothing for it.
 */
export class SealAuditLog {
  constructor(
    private readonly context: StoreContext,
    private readonly signingKeys: Pick<SigningKeyStore, 'current'>,
  ) {}

  async run(signal?: AbortSignal): Promise<Sealing> {
    const key = await this.signingKeys.current('audit');
    await this.context.sql.transaction(settleTimelines);
    let events = 0;
    let head: AuditHead | null = null;
    while (signal?.aborted !== true) {
      const done = await this.context.sql.transaction((client) => sealPortion(client, key));
      if (done === null) break;
      events += done.events;
      head = done.head ?? head;
      if (!done.more) break;
    }
    return { events, head };
  }
}

/**
 * Finds out up to where every timeline entry is visible. An entry takes its position while its transaction, which has
 * locked the request and so has its number, is running: once all transactions below the mark that was set after the
 * position have ended, no entry up to that position can come any more.
 */
async function settleTimelines(client: PoolClient): Promise<void> {
  if ((await client.query(lockCursor)).rowCount === 0) return;
  const { rows } = await client.query<{ position: string }>(newestPosition);
  await client.query(moveMark, [rows[0]!.position]);
}

interface Portion {
  readonly events: number;
  readonly head: AuditHead | null;
  readonly more: boolean;
}

/** Null when somebody else is sealing. */
async function sealPortion(client: PoolClient, key: SigningKey): Promise<Portion | null> {
  const { rows: cursors } = await client.query<CursorRow>(lockCursor);
  const cursor = cursors[0];
  if (cursor === undefined) return null;
  const written = await client.query<AuditEventRow>(selectUnsealed, [portion]);
  const decisive = await decisiveEntries(client, cursor);
  const events = [...written.rows.map(toAuditEvent), ...decisive.entries.map(eventOfTimeline)].sort(byTime);
  const more = written.rows.length === portion || decisive.through < Number(cursor.settled_position);
  await client.query(moveCursor, [decisive.through]);
  if (events.length === 0) return { events: 0, head: null, more };
  return { events: events.length, head: await chain(client, events, key), more };
}

const byTime = (one: AuditEvent, other: AuditEvent): number =>
  one.at < other.at || (one.at === other.at && one.id < other.id) ? -1 : 1;

interface CursorRow {
  readonly through_position: string;
  /** Up to here no timeline entry can come any more. */
  readonly settled_position: string;
}

async function decisiveEntries(client: PoolClient, { through_position, settled_position }: CursorRow) {
  const from = Number(through_position);
  const to = Math.min(Number(settled_position), from + lookedAt);
  if (to <= from) return { entries: [], through: from };
  const values = [from, to, portion, bootstrapClientId];
  const { rows } = await client.query<DecisiveEntry & { position: string }>(selectDecisive, values);
  return { entries: rows, through: rows.length === portion ? Number(rows.at(-1)!.position) : to };
}

async function chain(client: PoolClient, events: readonly AuditEvent[], key: SigningKey): Promise<AuditHead> {
  const { rows: heads } = await client.query<AuditHeadRow>(selectNewestHead);
  const before = heads[0] === undefined ? null : toAuditHead(heads[0]);
  const previousHash = before?.hash ?? genesisHash;
  const firstSequence = (before?.lastSequence ?? 0) + 1;
  let hash = previousHash;
  const sealed = events.map((event, index) => {
    const numbered = { ...event, sequence: firstSequence + index };
    hash = chainHash(hash, numbered, sha256Text);
    return { ...numbered, hash };
  });
  await client.query(writeSealed, [JSON.stringify(sealed.map(toInput))]);
  const claims = {
    batch: (before?.batch ?? 0) + 1,
    firstSequence,
    lastSequence: firstSequence + sealed.length - 1,
    previousHash,
    hash,
    sealedAt: new Date().toISOString(),
  };
  const head = { ...claims, kid: key.kid, signature: signatureOf(claims, key) };
  await client.query(insertHead, Object.values(head));
  return head;
}

/** A compact JWS (RFC 7515), Ed25519 (RFC 8037). */
function signatureOf(claims: HeadClaims, { kid, privateKeyPem }: SigningKey): string {
  const encoded = (text: string) => Buffer.from(text).toString('base64url');
  const header = JSON.stringify({ alg: 'EdDSA', kid, typ: 'assent-audit-head+jwt' });
  const input = `${encoded(header)}.${encoded(headText(claims))}`;
  return `${input}.${sign(null, Buffer.from(input), createPrivateKey(privateKeyPem)).toString('base64url')}`;
}

// Documents travel as text: what JSON may say and no text column can hold passes unread.
const toInput = ({ actor, resource, changes, detail, personal, ...event }: AuditEvent) => ({
  ...{ id: event.id, at: event.at, action: event.action, sequence: event.sequence, hash: event.hash },
  ...{ actor_type: actor.type, actor_id: actor.id, actor_name: actor.name, request_id: event.requestId },
  ...{ resource_type: resource.type, resource_id: resource.id, resource_name: resource.name },
  changes: changes && JSON.stringify(changes),
  detail: detail && JSON.stringify(detail),
  personal: personal && JSON.stringify(personal),
  ...{ personal_salt: event.personalSalt, personal_sha256: event.personalSha256 },
});

/** Waits for nobody: whoever holds it is sealing, or erasing. */
const lockCursor = /* sql */ `
  select through_position,
    case when pg_snapshot_xmin(pg_current_snapshot()) >= next_mark then next_position else through_position end
      as settled_position
  from audit_cursor for update skip locked`;

const newestPosition = /* sql */ `
  select case when is_called then last_value else 0 end as position from request_timeline_position_seq`;

// Only when what the last mark stands for has been used, or nothing would ever settle. The mark is read in a statement
// after the position.
const moveMark = /* sql */ `
  update audit_cursor set next_position = $1::bigint, next_mark = pg_snapshot_xmax(pg_current_snapshot())
  where through_position >= next_position and next_position < $1::bigint`;

const moveCursor = 'update audit_cursor set through_position = $1::bigint where through_position < $1::bigint';

const selectUnsealed = 'select * from audit_events where sequence is null order by id limit $1';

const selectNewestHead = 'select * from audit_heads order by batch desc limit 1';

const selectDecisive = /* sql */ `
  select t.position, t.request_id, t.at, t.type, t.detail,
    case when r.id is not null then json_build_object('id', r.rule_id, 'name', r.rule_name, 'version', r.rule_version) end
      as rule,
    r.reason, r.request_hash, r.id_token_sha256, evidence_subject(r.evidence) as subject,
    coalesce(client.id = $4, false) as bootstrap, c.name as client_name
  from request_timeline t
  left join authorization_requests r on r.id = t.request_id
  cross join lateral (
    -- Other details hold what a provider wrote, and text that no text value can hold.
    select case when t.type in ('cancelled', 'consumed') then t.detail->>'by' end as id
  ) as client
  left join api_clients c on c.id::text = client.id
  where t.position > $1::bigint and t.position <= $2::bigint
    and t.type in ('approved', 'denied', 'expired', 'cancelled', 'failed', 'consumed')
  order by t.position limit $3`;

const writeSealed = /* sql */ `
  insert into audit_events (id, at, actor_type, actor_id, actor_name, action, resource_type, resource_id, resource_name,
    request_id, changes, detail, personal, personal_salt, personal_sha256, sequence, hash)
  select id, at, actor_type, actor_id, actor_name, action, resource_type, resource_id, resource_name, request_id,
    changes::json, detail::json, personal::json, personal_salt, personal_sha256, sequence, hash
  from json_to_recordset($1::json) as input (
    id uuid, at timestamptz, actor_type text, actor_id text, actor_name text, action text, resource_type text,
    resource_id text, resource_name text, request_id text, changes text, detail text, personal text, personal_salt text,
    personal_sha256 text, sequence bigint, hash text)
  on conflict (id) do update set sequence = excluded.sequence, hash = excluded.hash`;

const insertHead = /* sql */ `
  insert into audit_heads (batch, first_sequence, last_sequence, previous_hash, hash, sealed_at, kid, signature)
  values ($1, $2, $3, $4, $5, $6, $7, $8)`;
