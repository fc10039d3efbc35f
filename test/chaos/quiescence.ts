import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Cluster } from './cluster.js';
import type { AmqpLedger } from './sinks.js';

/** What has not come to its end; all zero when the system is at rest. */
export interface Unfinished {
  readonly requests: number;
  readonly undecided: number;
  readonly unpublished: number;
  readonly deliveries: number;
  /** Entries of timelines that are not in the audit log, and events of it that have no number yet. */
  readonly unsealed: number;
}

const countUnfinished = `
  select
    (select count(*)::integer from authorization_requests where ended_at is null) as requests,
    (select count(*)::integer from authorization_requests where ended_at is not null and decision_id is null) as undecided,
    (select count(*)::integer from outbox where published_at is null) as unpublished,
    (select count(*)::integer from deliveries where state = 'pending') as deliveries,
    (select count(*)::integer from request_timeline, audit_cursor where position > through_position)
      + (select count(*)::integer from audit_events where sequence is null) as unsealed`;

/** Retries that are due later than this are moved forward: the second comes five minutes after the first. */
const moveForward = `
  update deliveries set next_attempt_at = clock_timestamp()
  where state = 'pending' and lease_until is null and next_attempt_at > clock_timestamp() + interval '6 seconds'`;

export interface Quiescence {
  readonly at: number | null;
  /** What was left when the time was over, or the last count, which is zero. */
  readonly left: Unfinished | null;
  /** Deliveries whose next attempt was moved forward. */
  readonly movedForward: number;
}

/** Waits until nothing moves any more, for `limitMs` at most. */
export async function untilQuiescent(
  cluster: Cluster,
  subscriber: AmqpLedger,
  limitMs: number,
  tell: (left: Unfinished) => void,
): Promise<Quiescence> {
  let left: Unfinished | null = null;
  let movedForward = 0;
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await pause(500)) {
    try {
      movedForward += (await cluster.query(`with moved as (${moveForward} returning 1) select * from moved`)).length;
      left = (await cluster.query<Unfinished & pg.QueryResultRow>(countUnfinished))[0]!;
    } catch {
      continue;
    }
    tell(left);
    if (Object.values(left).some((count) => count > 0)) continue;
    // What is published may still be on its way to the subscriber.
    const seen = subscriber.ids.size;
    await pause(1_500);
    if (subscriber.ids.size === seen) return { at: Date.now(), left, movedForward };
  }
  return { at: null, left, movedForward };
}

/** Writes every table as JSON lines: bytea as hex, timestamps as ISO, `json` parsed, with its text beside it for decisions. */
export async function dumpDatabase(databaseUrl: string, folder: string): Promise<void> {
  const target = join(folder, 'database');
  await mkdir(target, { recursive: true });
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    for (const { name } of tables) {
      const file = createWriteStream(join(target, `${name}.jsonl`));
      const text = name === 'decisions' ? ', document::text as document_text' : '';
      const { rows } = await client.query<Record<string, unknown>>(`select *${text} from ${pg.escapeIdentifier(name)}`);
      for (const row of rows) file.write(`${JSON.stringify(row, hexBytes)}\n`);
      file.end();
      await finished(file);
    }
  } finally {
    await client.end();
  }
}

/** A Buffer reaches a replacer as what its `toJSON` made of it. */
function hexBytes(_name: string, value: unknown): unknown {
  const made = value as { type?: unknown; data?: unknown } | null;
  return typeof value === 'object' && made?.type === 'Buffer' && Array.isArray(made.data)
    ? Buffer.from(made.data as number[]).toString('hex')
    : value;
}
