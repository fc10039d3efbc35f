import { statement, type Sql } from '../sql.js';
import { storable } from '../storable.js';
import type {
  CallSubject,
  ClientPause,
  ClientRefusalAlert,
  ClientRefusalStore,
  NotedRefusal,
  RefusableCall,
} from './work.types.js';

/** The first pause, in seconds; each that follows is twice as long. */
const firstPauseSeconds = 5;
/** A pause is never longer: whatever was mended at the provider is found out by then. */
const longestPauseSeconds = 600;
/** For so long a process goes by what it knows, in ms: a pause that is lifted elsewhere ends here as late as this. */
const rememberMs = 5_000;
const maximumRemembered = 10_000;

type Known =
  | { readonly state: 'open'; readonly untilMs: number }
  | { readonly state: 'paused'; readonly untilMs: number; readonly endsAtMs: number; readonly error: string };

/**
 * Clients that their provider refuses, in Postgres: one table for all processes, so that together they make one trial
 * at the end of a pause and not one each.
 *
 * A trial is paid for in advance: whoever makes it has started the next, longer pause before the call goes out, so that
 * a process that dies of it leaves no flood behind. A call that the provider takes deletes the row.
 */
export class PostgresClientRefusalStore implements ClientRefusalStore {
  private readonly known = new Map<string, Known>();
  private readonly asking = new Map<string, Promise<unknown>>();

  constructor(
    private readonly sql: Sql,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  pause(subject: CallSubject): ClientPause | null {
    const known = this.fresh(subject);
    return known?.state === 'paused' ? this.toPause(known) : null;
  }

  admit(subject: CallSubject, suspected: boolean): null | Promise<ClientPause | null> {
    return suspected || this.isKnown(subject) ? this.look(subject) : null;
  }

  private async look(subject: CallSubject): Promise<ClientPause | null> {
    // One question at a time: whoever asked meanwhile has learned the answer for all.
    for (let under = this.asking.get(nameOf(subject)); under; under = this.asking.get(nameOf(subject))) await under;
    const known = this.fresh(subject);
    if (known !== null) return known.state === 'open' ? null : this.toPause(known);
    const asked = this.ask(subject).finally(() => this.asking.delete(nameOf(subject)));
    this.asking.set(
      nameOf(subject),
      asked.catch(() => undefined),
    );
    return asked;
  }

  async note(subject: CallSubject, { tokenProviderId, error }: NotedRefusal): Promise<ClientPause> {
    // Known here before anything else can fail.
    this.remember(subject, { state: 'paused', ...this.until(firstPauseSeconds * 1000), error });
    const row = await this.sql.row<PauseRow>(noteRefusal, [
      ...keyOf(subject),
      tokenProviderId,
      storable(error),
      firstPauseSeconds,
      longestPauseSeconds,
    ]);
    const known = { state: 'paused', ...this.until(row!.wait_ms), error } as const;
    this.remember(subject, known);
    return this.toPause(known);
  }

  accepted(subject: CallSubject, suspected: boolean): false | Promise<boolean> {
    if (!suspected && !this.isKnown(subject)) return false;
    return this.fresh(subject)?.state === 'open' ? false : this.liftPause(subject);
  }

  private async liftPause(subject: CallSubject): Promise<boolean> {
    const lifted = await this.sql.count(liftRefusal, [...keyOf(subject)]);
    this.remember(subject, { state: 'open', untilMs: this.nowMs() + 2 * rememberMs });
    return lifted > 0;
  }

  async lift(rule: CallSubject['rule']): Promise<void> {
    await this.sql.rows(liftRule, [rule.id, rule.version]);
    this.known.delete(nameOf({ rule, call: 'start' }));
    this.known.delete(nameOf({ rule, call: 'poll' }));
  }

  async ofTokenProviders(ids: readonly string[]): Promise<ClientRefusalAlert[]> {
    const rows = await this.sql.rows<AlertRow>(selectAlerts, [ids]);
    return rows.map((row) => ({
      tokenProviderId: row.token_provider_id,
      rule: { id: row.rule_id, name: row.name },
      call: row.call,
      error: row.error,
      firstAt: row.first_at,
      lastAt: row.last_at,
      pausedUntil: row.paused_until,
    }));
  }

  /** Null: nothing is wrong any more, or the pause is over and this is the trial. */
  private async ask(subject: CallSubject): Promise<ClientPause | null> {
    const row = await this.sql.row<ClaimRow>(claimTrial, [...keyOf(subject), firstPauseSeconds, longestPauseSeconds]);
    if (row === null) {
      this.remember(subject, { state: 'open', untilMs: this.nowMs() + rememberMs });
      return null;
    }
    const known = { state: 'paused', ...this.until(row.wait_ms), error: row.error } as const;
    this.remember(subject, known);
    return row.claimed ? null : this.toPause(known);
  }

  private isKnown(subject: CallSubject): boolean {
    return this.known.size > 0 && this.known.has(nameOf(subject));
  }

  private until(waitMs: number): { untilMs: number; endsAtMs: number } {
    const nowMs = this.nowMs();
    return { untilMs: nowMs + Math.min(waitMs, rememberMs), endsAtMs: nowMs + waitMs };
  }

  private fresh(subject: CallSubject): Known | null {
    const known = this.known.get(nameOf(subject)) ?? null;
    return known !== null && known.untilMs > this.nowMs() ? known : null;
  }

  private toPause({ endsAtMs, error }: Extract<Known, { state: 'paused' }>): ClientPause {
    return { forMs: Math.max(1, endsAtMs - this.nowMs()), error };
  }

  private remember(subject: CallSubject, known: Known): void {
    if (this.known.size >= maximumRemembered) this.known.clear();
    this.known.set(nameOf(subject), known);
  }
}

const nameOf = ({ rule, call }: CallSubject): string => `${rule.id}:${rule.version}:${call}`;
const keyOf = ({ rule, call }: CallSubject) => [rule.id, rule.version, call] as const;

interface PauseRow {
  readonly wait_ms: number;
}

interface ClaimRow extends PauseRow {
  readonly claimed: boolean;
  readonly error: string;
}

interface AlertRow {
  readonly token_provider_id: string;
  readonly rule_id: string;
  readonly name: string;
  readonly call: RefusableCall;
  readonly error: string;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly paused_until: Date;
}

/** The n-th pause; the exponent is bounded so that no number overflows. */
const pauseOf = (pauses: string, first: string, longest: string): string =>
  `make_interval(secs => least(${longest}::float8, ${first}::float8 * 2 ^ least(${pauses} - 1, 20)))`;

const waitMs = 'extract(epoch from paused_until - clock_timestamp())::float8 * 1000 as wait_ms';

// A refusal during a pause is that of the trial, or of a call that went out before it: it makes nothing longer.
const noteRefusal = statement(
  'note_client_refusal',
  /* sql */ `
  insert into client_refusals as f (rule_id, rule_version, call, token_provider_id, error, paused_until)
  values ($1::uuid, $2::integer, $3, $4::uuid, $5, clock_timestamp() + ${pauseOf('1', '$6', '$7')})
  on conflict (rule_id, rule_version, call) do update set
    error = excluded.error,
    last_at = clock_timestamp(),
    pauses = case when f.paused_until > clock_timestamp() then f.pauses else f.pauses + 1 end,
    paused_until = case when f.paused_until > clock_timestamp() then f.paused_until
      else clock_timestamp() + ${pauseOf('f.pauses + 1', '$6', '$7')} end
  returning ${waitMs}`,
);

const claimTrial = statement(
  'claim_client_trial',
  /* sql */ `
  with locked as materialized (
    select * from client_refusals
    where rule_id = $1::uuid and rule_version = $2::integer and call = $3 for update
  ), claimed as (
    update client_refusals f set
      pauses = f.pauses + 1,
      paused_until = clock_timestamp() + ${pauseOf('f.pauses + 1', '$4', '$5')}
    from locked
    where f.rule_id = locked.rule_id and f.rule_version = locked.rule_version and f.call = locked.call
      and locked.paused_until <= clock_timestamp()
    returning f.paused_until, f.error
  )
  select true as claimed, error, ${waitMs} from claimed
  union all
  select false, error, ${waitMs} from locked where not exists (select from claimed)`,
);

const liftRefusal = statement(
  'lift_client_refusal',
  'delete from client_refusals where rule_id = $1::uuid and rule_version = $2::integer and call = $3',
);

const liftRule = statement(
  'lift_client_refusals_of_rule',
  'delete from client_refusals where rule_id = $1::uuid and rule_version = $2::integer',
);

// Of the rules as they are now: what an earlier version was refused for may be mended.
const selectAlerts = statement(
  'select_client_refusals',
  /* sql */ `
  select f.token_provider_id, f.rule_id, v.definition->>'name' as name, f.call, f.error, f.first_at, f.last_at,
    f.paused_until
  from client_refusals f
  join rules r on r.id = f.rule_id and r.version = f.rule_version
  join rule_versions v on v.rule_id = f.rule_id and v.version = f.rule_version
  where f.token_provider_id = any($1::uuid[])
  order by f.first_at, f.rule_id, f.call limit 1000`,
);
