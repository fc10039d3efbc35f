import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { v7 as newId } from 'uuid';
import { Slipped } from './enumerate.js';
import type { Lock } from './plan.js';
import type { Subject } from './states.js';
import type { Holder } from './stepper.js';

/** A session that takes a lock before anybody else comes, and lets go of it when its turn has come. */
export class LockHolder implements Holder {
  /** When the lock was let go, by the database's clock. */
  releasedAt: string | null = null;
  #holds = true;

  private constructor(
    private readonly session: Client,
    private readonly subject: Subject,
    private readonly giveUp: () => boolean,
  ) {}

  /** `giveUp` says that the run has failed already: then nobody waits for a deadline any more. */
  static async take(session: Client, lock: Lock, subject: Subject, giveUp: () => boolean): Promise<LockHolder> {
    await session.query('begin');
    const { text, values } = statementOf(lock, subject);
    await session.query(text, values);
    return new LockHolder(session, subject, giveUp);
  }

  /** @throws Slipped when the deadline that was to pass behind the lock had passed before */
  async release(): Promise<void> {
    if (!this.#holds) return;
    this.#holds = false;
    try {
      if (!this.giveUp()) await this.#untilDeadline();
    } finally {
      const { rows } = await this.session.query<{ now: string }>('select to_json(clock_timestamp()) as now');
      this.releasedAt = rows[0]!.now;
      await this.session.query('rollback');
    }
  }

  async #untilDeadline(): Promise<void> {
    const column = { closing: 'expires_at', lapsing: 'consume_by' }[this.subject.state as string];
    if (column === undefined) return;
    for (let first = true; ; first = false) {
      const { rows } = await this.session.query<{ left: number }>(
        `select extract(epoch from ${column} - clock_timestamp())::float8 * 1000 as left from authorization_requests where id = $1`,
        [this.subject.requestId],
      );
      const leftMs = rows[0]!.left;
      if (first && leftMs <= 0) throw new Slipped('The deadline passed before the lock was to be let go.');
      if (leftMs <= 0) return;
      await pause(Math.ceil(leftMs) + 1);
    }
  }
}

function statementOf(lock: Lock, subject: Subject): { text: string; values: unknown[] } {
  switch (lock) {
    case 'request':
      return {
        text: 'select from authorization_requests where id = any($1::uuid[]) order by id for update',
        values: [[subject.requestId, subject.otherRequestId]],
      };
    case 'shard':
      return { text: 'select from poller_shards where shard = $1 for update', values: [subject.shard] };
    case 'unique':
      return subject.state === 'absent' ? uncommittedKey(subject) : uncommittedToken(subject);
    case 'none':
      throw new Error('There is nothing to hold.');
  }
}

/** Somebody else has inserted the key and not committed; it will be rolled back. */
const uncommittedKey = ({ idempotencyKey, bodyHash }: Subject) => ({
  text: `insert into authorization_requests (id, shard, api_client_id, idempotency_key, body_hash, rule_id, rule_version,
      rule_name, token_provider_id, attributes, login_hint, metadata, request_hash)
    values ($1, 0, '00000000-0000-7000-8000-0000000000aa', $2, $3, $1, 1, 'none', $1, '', '', '{}', 'hash')`,
  values: [newId(), idempotencyKey, bodyHash],
});

/** A third request has claimed the ID token and not committed; it will be rolled back. */
const uncommittedToken = ({ evidence }: Subject) => ({
  text: `update authorization_requests set id_token_sha256 = $1
    where id = (select id from authorization_requests where status = 'cancelled' and id_token_sha256 is null limit 1)`,
  values: [evidence.idTokenSha256],
});
