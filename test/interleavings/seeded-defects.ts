import type { Defects } from './lane.js';
import type { Meeting } from './plan.js';
import type { CommandName } from './commands.js';
import type { State } from './states.js';

/** A wrong statement that somebody could have written, and the meeting that shows it. */
export interface SeededDefect {
  readonly name: string;
  readonly defects: Defects;
  readonly meeting: Meeting;
  /** What the oracle must say. */
  readonly caught: RegExp;
}

/** A second wall that would stop the change; it is taken away so that the first one is seen to fail. */
const withoutGuard = 'drop trigger authorization_requests__guard on authorization_requests;';
const without = (constraint: string, table = 'authorization_requests') =>
  `alter table ${table} drop constraint ${constraint};`;

/** Replaces a part of one statement; a part that is not there any more is an error, and not a defect that stays unseen. */
function instead(statement: string, part: string, by: string, schema = withoutGuard): Defects {
  return {
    schema,
    sabotage: (query) => {
      if (query.name !== `assent_${statement}`) return query;
      if (!query.text.includes(part)) throw new Error(`${statement} has no "${part}" any more.`);
      return { ...query, name: `${query.name}_wrong`, text: query.text.replaceAll(part, by) };
    },
  };
}

const at = (state: State, names: readonly [CommandName, CommandName], lock: Meeting['lock'] = 'none'): Meeting => ({
  state,
  names,
  mode: names.includes('ping') ? 'ping' : 'poll',
  lock,
});

const consumable = `when 'consumable' then locked.consumed_at is null and clock.judged_at < locked.consume_by`;

/** Each is planted in the real SQL, one at a time, and has to be found. */
export const seededDefects: readonly SeededDefect[] = [
  {
    name: 'an approval is used on the strength of what was read before',
    defects: instead('apply_transitions', consumable, `when 'consumable' then true`),
    meeting: at('decided', ['consume', 'consume']),
    caught: /I8/,
  },
  {
    name: 'the time of the transaction is taken for the time after the lock: approval',
    defects: instead('apply_transitions', 'select clock_timestamp() as judged_at', 'select now() as judged_at'),
    meeting: at('closing', ['approve', 'cancel'], 'request'),
    caught: /I6: approved after the deadline/,
  },
  {
    name: 'the time of the transaction is taken for the time after the lock: use',
    defects: instead('apply_transitions', 'select clock_timestamp() as judged_at', 'select now() as judged_at'),
    meeting: at('lapsing', ['consume', 'consume'], 'request'),
    caught: /I9: used after its time/,
  },
  {
    name: 'the deadline is judged before the lock, by the UPDATE itself',
    defects: instead('apply_transitions', 'order by id for update', 'order by id'),
    meeting: at('closing', ['approve', 'approve-late'], 'request'),
    caught: /I6: approved after the deadline/,
  },
  {
    name: 'the status is not compared',
    defects: instead('apply_transitions', 'locked.status = input.from_status and not', 'not'),
    meeting: at('pending', ['approve', 'cancel']),
    caught: /I3|failed/,
  },
  {
    name: 'the fence is not asked',
    defects: instead('apply_transitions', 'and not fence.fenced and', 'and'),
    meeting: at('pending', ['fail-fenced', 'take-over']),
    caught: /I12/,
  },
  {
    name: 'a shard is taken over in the same epoch',
    defects: instead('take_shards', 'epoch = s.epoch + 1', 'epoch = s.epoch'),
    meeting: at('overdue', ['expire', 'take-over']),
    caught: /I12/,
  },
  {
    name: 'an ID token may serve twice',
    defects: { schema: without('authorization_requests__id_token_sha256_key') },
    meeting: at('pending', ['approve', 'reuse']),
    caught: /I7/,
  },
  {
    name: 'a decision is recorded without a look whether there is one',
    defects: instead(
      'record_decisions',
      'where locked.decision_id is null and locked.status',
      'where locked.status',
      withoutGuard + without('decisions__request_id_key', 'decisions'),
    ),
    meeting: at('approved', ['record', 'record']),
    caught: /I15/,
  },
  {
    name: 'an answer that was held is judged by the time of its verification',
    defects: instead('apply_transitions', 'and h.received_at < locked.expires_at)', ')'),
    meeting: at('overdue', ['approve-held', 'deny']),
    caught: /I6: approved after the deadline/,
  },
  {
    name: 'late evidence replaces what is there',
    defects: instead('store_late_evidence', 'late_evidence is null and', ''),
    meeting: at('cancelled', ['approve', 'approve-late']),
    caught: /I10/,
  },
  {
    name: 'each ping counts',
    defects: instead('note_notification', 'and pinged_at is null', ''),
    meeting: at('pending', ['ping', 'ping']),
    caught: /I20/,
  },
  {
    name: 'an attempt is opened beside an open one',
    defects: instead(
      'open_attempts',
      'and known.open_id is null',
      '',
      'drop index start_attempts__open_key;' + without('start_attempts__request_id_number_key', 'start_attempts'),
    ),
    meeting: at('submitted', ['start', 'start']),
    caught: /I14/,
  },
  {
    name: 'a change tells nobody',
    defects: instead('apply_transitions', 'where input.event_id is not null', `where updated.status <> 'cancelled'`),
    meeting: at('pending', ['cancel', 'deny']),
    caught: /I20/,
  },
  {
    name: 'two submissions under one key are two requests',
    defects: instead(
      'insert_requests',
      `where admitted.verdict = 'admitted' order by api_client_id, idempotency_key, id
    on conflict (api_client_id, idempotency_key) do nothing`,
      `where admitted.verdict in ('admitted', 'repeated')`,
      without('authorization_requests__api_client_id_idempotency_key_key'),
    ),
    meeting: at('absent', ['submit', 'submit']),
    caught: /I22/,
  },
];
