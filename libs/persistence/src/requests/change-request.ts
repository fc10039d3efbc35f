import {
  decide,
  expectedSnapshot,
  isRefusal,
  type Command,
  type Evidence,
  type Refusal,
  type Snapshot,
  type Transition,
} from '#lib/domain';
import { NaturalBatcher } from '../natural-batcher.js';
import { isUuid } from '../paging.js';
import { anyOf, type Sql, statement } from '../sql.js';
import type { ApplyTransition } from './apply-transition.js';
import { isEvidenceReuse } from './apply-transition.js';
import type { ChangeResult } from './request.types.js';

// Every repetition follows a change by somebody else, of which a request sees a handful in its life.
const maxDecisions = 10;

/** A snapshot, its version, and the database's time when it was read. */
export interface ReadSnapshot {
  readonly snapshot: Snapshot & { readonly stateVersion: number };
  readonly databaseNow: Date;
}

/** Puts commands to the domain and applies what it answers, again while the row moves or a guard fails. */
export class ChangeRequest {
  private readonly snapshots: NaturalBatcher<string, ReadSnapshot | null>;

  constructor(
    private readonly sql: Sql,
    private readonly applyTransition: ApplyTransition,
  ) {
    this.snapshots = new NaturalBatcher({ name: 'reading requests', run: (ids) => this.readSnapshots(ids) });
  }

  /**
   * Begins with the request as the command expects it, which saves reading it: what does not pass changes nothing and
   * tells how the row is.
   */
  async run(anyCaseId: string, command: Command): Promise<ChangeResult> {
    if (!isUuid(anyCaseId)) return { kind: 'gone' };
    // As the row has it: answers are found by it, and values sealed for it.
    const requestId = anyCaseId.toLowerCase();
    const expected = expectedSnapshot(requestId, command);
    let { snapshot: current, now: databaseNow } = expected;
    let asked = command;
    for (let decisions = 0; decisions <= maxDecisions; decisions++) {
      const answer = decide(current, asked, databaseNow);
      if (isRefusal(answer)) {
        if (answer.lateEvidence !== null) await this.recordLateEvidence(requestId, answer.lateEvidence);
        return { kind: 'refused', refusal: answer, current };
      }
      const result = await this.applyTransition.run(answer);
      if (result.kind === 'applied') return { ...result, transition: answer };
      if (result.kind !== 'refused') return result;
      // Of a request that is not as expected it is only known now what the command comes to, and whether a fence matters.
      const isFencedOut = result.fenced && current !== expected.snapshot;
      if (isFencedOut) return { kind: 'fenced-out' };
      if (!result.fenced) {
        const again = askedAgain(asked, answer, result.current);
        if ('refused' in again) return { kind: 'refused', refusal: again, current: result.current };
        asked = again;
      }
      ({ current, databaseNow } = result);
    }
    throw new Error(`Request ${requestId} kept changing while "${command.type}" was decided ${maxDecisions} times.`);
  }

  async snapshot(requestId: string): Promise<ReadSnapshot | null> {
    return isUuid(requestId) ? this.snapshots.run(requestId) : null;
  }

  async recordLateEvidence(requestId: string, evidence: Evidence): Promise<void> {
    const values = [requestId, JSON.stringify(evidence), evidence.idTokenSha256];
    try {
      await this.sql.rows(storeLateEvidence, [...values, true]);
    } catch (error) {
      if (!isEvidenceReuse(error)) throw error;
      // The token serves another request: it is on record there, and here without claiming it.
      await this.sql.rows(storeLateEvidence, [...values, false]);
    }
  }

  private async readSnapshots(ids: readonly string[]): Promise<(ReadSnapshot | null)[]> {
    const rows = await this.sql.rows<SnapshotRow>(selectSnapshots, [ids]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => {
      const row = byId.get(id.toLowerCase());
      return row === undefined ? null : toSnapshot(row);
    });
  }
}

/** What is asked when a transition found the row moved or its guard failed; or why nothing is. */
export function askedAgain(asked: Command, answer: Transition, current: Snapshot): Command | Refusal {
  if (answer.guard === 'attempt-open' && current.status === answer.from) {
    return { refused: 'attempt_closed', lateEvidence: null };
  }
  // The guard said that no answer was held in time: now the clock decides, as for an answer that just came.
  return asked.type === 'approve' && asked.held && current.status === answer.from ? { ...asked, held: false } : asked;
}

interface SnapshotRow {
  readonly id: string;
  readonly status: Snapshot['status'];
  readonly state_version: number;
  readonly expires_at: Date | null;
  readonly consumed_at: Date | null;
  readonly consume_by: Date | null;
  readonly database_now: Date;
}

const toSnapshot = (row: SnapshotRow): ReadSnapshot => ({
  snapshot: {
    id: row.id,
    status: row.status,
    expiresAt: row.expires_at,
    consumedAt: row.consumed_at,
    consumeBy: row.consume_by,
    stateVersion: row.state_version,
  },
  databaseNow: row.database_now,
});

const selectSnapshots = statement(
  'select_snapshots',
  /* sql */ `
  select id, status, state_version, expires_at, consumed_at, consume_by, clock_timestamp() as database_now
  from authorization_requests where id = ${anyOf('$1', 'uuid')}`,
);

// An approval that comes back to the request that it approved is a repetition, not late.
const storeLateEvidence = statement(
  'store_late_evidence',
  /* sql */ `
  with kept as (
    update authorization_requests set
      late_evidence = $2::json,
      id_token_sha256 = case when $4::boolean then coalesce(id_token_sha256, $3) else id_token_sha256 end
    where id = $1::uuid and late_evidence is null and ended_at is not null and erased_at is null and id_token_sha256 is distinct from $3
    returning id
  )
  insert into request_timeline (request_id, type, detail) select id, 'late_evidence', '{}'::json from kept`,
);
