import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whoever is admitted learns what is left of each limit. `admit_requests` decides as `admit_prompts` does, which services
 * that have not been restarted yet still ask: a function whose answer has other columns is another function.
 */
export class LimitsLeft1764442200000 implements MigrationInterface {
  readonly name = 'LimitsLeft1764442200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
-- asks: n, id, api_client_id, idempotency_key, join_key, limits (0: none); key_no, person_no, join_no, client_no and
-- rule_no tell which asks have the same key, person, and so on; persons, clients and rules are what those numbers count.
create function admit_requests(persons bytea[], clients uuid[], rules uuid[], asks json)
  returns table (
    id uuid, verdict text, other_id uuid, within_batch boolean, exceeded text, quota integer, window_seconds integer,
    retry_after_seconds integer, outstanding_left integer, five_minutes_left integer, hour_left integer,
    client_left integer, rule_left integer)
  language plpgsql volatile as $$
#variable_conflict use_column
declare
  at timestamptz;
  this_minute timestamptz;
  ask record;
  fact record;
  known_keys boolean[] := array[]::boolean[];
  joins uuid[] := array[]::uuid[];
  has_turn boolean[] := array[]::boolean[];
  open_count integer[] := array[]::integer[];
  open_until timestamptz[] := array[]::timestamptz[];
  five_count integer[] := array[]::integer[];
  five_since timestamptz[] := array[]::timestamptz[];
  hour_count integer[] := array[]::integer[];
  hour_since timestamptz[] := array[]::timestamptz[];
  denied_at timestamptz[] := array[]::timestamptz[];
  client_used integer[] := array[]::integer[];
  rule_used integer[] := array[]::integer[];
  free_at timestamptz;
begin
  -- One at a time per person; everybody takes the turns in the same order. Nobody waits for the turn of a person who has
  -- no room left: whoever tries one person again and again holds up nobody else.
  for fact in
    select ('x' || encode(substring(person.key from 1 for 8), 'hex'))::bit(64)::bigint as turn, person.key, person.n
    from unnest(persons) with ordinality as person (key, n) order by turn, person.n
  loop
    has_turn[fact.n] := pg_try_advisory_xact_lock(fact.turn) or exists (
      select from json_to_recordset(asks) as a (
        person_no integer, join_no integer, outstanding integer, per_five_minutes integer, per_hour integer,
        cool_down_seconds integer)
      cross join prompt_facts(array[fact.key]) as f
      where a.person_no = fact.n and (a.join_no is not null or not (
        (a.outstanding > 0 and f.open_count >= a.outstanding)
        or (a.per_five_minutes > 0 and f.five_count >= a.per_five_minutes)
        or (a.per_hour > 0 and f.hour_count >= a.per_hour)
        or (a.cool_down_seconds > 0 and f.denied_at is not null
          and f.denied_at + make_interval(secs => a.cool_down_seconds) > clock_timestamp()))));
    if has_turn[fact.n] then perform pg_advisory_xact_lock(fact.turn); end if;
  end loop;
  if cardinality(clients) + cardinality(rules) > 0 then
    insert into prompt_meters (kind, id)
    select kind, meter from (
      select 'client' as kind, unnest(clients) as meter union all select 'rule', unnest(rules)
    ) as wanted order by kind, meter
    on conflict do nothing;
    perform from prompt_meters m
    where (m.kind = 'client' and m.id = any(clients)) or (m.kind = 'rule' and m.id = any(rules))
    order by m.kind, m.id for update;
  end if;

  at := clock_timestamp();
  this_minute := date_trunc('minute', at);
  for fact in select * from prompt_facts(persons) loop
    open_count[fact.n] := fact.open_count;
    open_until[fact.n] := fact.open_until;
    five_count[fact.n] := fact.five_count;
    five_since[fact.n] := fact.five_since;
    hour_count[fact.n] := fact.hour_count;
    hour_since[fact.n] := fact.hour_since;
    denied_at[fact.n] := fact.denied_at;
  end loop;
  for fact in
    select meter.n, m.used, m.minute from unnest(clients) with ordinality as meter (id, n)
    join prompt_meters m on m.kind = 'client' and m.id = meter.id
  loop
    client_used[fact.n] := case when fact.minute = this_minute then fact.used else 0 end;
  end loop;
  for fact in
    select meter.n, m.used, m.minute from unnest(rules) with ordinality as meter (id, n)
    join prompt_meters m on m.kind = 'rule' and m.id = meter.id
  loop
    rule_used[fact.n] := case when fact.minute = this_minute then fact.used else 0 end;
  end loop;

  for ask in
    select a.*, a.idempotency_key is not null and (
        exists (select from authorization_requests k
          where k.api_client_id = a.api_client_id and k.idempotency_key = a.idempotency_key)
        or exists (select from joined_requests k
          where k.api_client_id = a.api_client_id and k.idempotency_key = a.idempotency_key)) as known,
      case when a.join_key is not null then (
        select q.id from authorization_requests q
        where q.subject_key = persons[a.person_no] and q.join_key = a.join_key and q.ended_at is null
          and q.created_at > at - interval '5 days'
        order by q.created_at limit 1) end as waiting_id
    from json_to_recordset(asks) as a (
      n integer, id uuid, api_client_id uuid, idempotency_key text, join_key bytea, key_no integer, person_no integer,
      join_no integer, client_no integer, rule_no integer, outstanding integer, per_five_minutes integer,
      per_hour integer, cool_down_seconds integer, client_per_minute integer, rule_per_minute integer)
    order by a.n
  loop
    id := ask.id;
    verdict := 'admitted';
    other_id := null;
    within_batch := false;
    exceeded := null;
    quota := null;
    window_seconds := null;
    retry_after_seconds := null;
    outstanding_left := null;
    five_minutes_left := null;
    hour_left := null;
    client_left := null;
    rule_left := null;
    free_at := null;
    if ask.known or coalesce(known_keys[ask.key_no], false) then
      verdict := 'repeated';
    elsif ask.waiting_id is not null then
      verdict := 'joined';
      other_id := ask.waiting_id;
    elsif joins[ask.join_no] is not null then
      verdict := 'joined';
      other_id := joins[ask.join_no];
      within_batch := true;
    elsif ask.cool_down_seconds > 0 and denied_at[ask.person_no] + make_interval(secs => ask.cool_down_seconds) > at then
      exceeded := 'cool-down';
      quota := 0;
      window_seconds := ask.cool_down_seconds;
      free_at := denied_at[ask.person_no] + make_interval(secs => ask.cool_down_seconds);
    elsif ask.per_hour > 0 and hour_count[ask.person_no] >= ask.per_hour then
      exceeded := 'hour';
      quota := ask.per_hour;
      window_seconds := 3600;
      free_at := coalesce(hour_since[ask.person_no], at) + interval '1 hour';
    elsif ask.per_five_minutes > 0 and five_count[ask.person_no] >= ask.per_five_minutes then
      exceeded := 'five-minutes';
      quota := ask.per_five_minutes;
      window_seconds := 300;
      free_at := coalesce(five_since[ask.person_no], at) + interval '5 minutes';
    elsif ask.outstanding > 0 and open_count[ask.person_no] >= ask.outstanding then
      exceeded := 'outstanding';
      quota := ask.outstanding;
      -- Somebody may answer at any moment.
      free_at := least(open_until[ask.person_no], at + interval '30 seconds');
    elsif ask.client_per_minute > 0 and client_used[ask.client_no] >= ask.client_per_minute then
      exceeded := 'client';
      quota := ask.client_per_minute;
      window_seconds := 60;
      free_at := this_minute + interval '1 minute';
    elsif ask.rule_per_minute > 0 and rule_used[ask.rule_no] >= ask.rule_per_minute then
      exceeded := 'rule';
      quota := ask.rule_per_minute;
      window_seconds := 60;
      free_at := this_minute + interval '1 minute';
    elsif ask.person_no is not null and not has_turn[ask.person_no] then
      -- There was no room a moment ago.
      exceeded := 'outstanding';
      quota := ask.outstanding;
      free_at := at;
    end if;
    if exceeded is not null then
      verdict := 'refused';
      retry_after_seconds := greatest(1, ceil(extract(epoch from free_at - at)))::integer;
    elsif verdict = 'admitted' then
      if ask.person_no is not null then
        open_count[ask.person_no] := open_count[ask.person_no] + 1;
        five_count[ask.person_no] := five_count[ask.person_no] + 1;
        hour_count[ask.person_no] := hour_count[ask.person_no] + 1;
      end if;
      if ask.client_no is not null then client_used[ask.client_no] := client_used[ask.client_no] + 1; end if;
      if ask.rule_no is not null then rule_used[ask.rule_no] := rule_used[ask.rule_no] + 1; end if;
      if ask.join_no is not null then joins[ask.join_no] := ask.id; end if;
      if ask.outstanding > 0 then outstanding_left := ask.outstanding - open_count[ask.person_no]; end if;
      if ask.per_five_minutes > 0 then five_minutes_left := ask.per_five_minutes - five_count[ask.person_no]; end if;
      if ask.per_hour > 0 then hour_left := ask.per_hour - hour_count[ask.person_no]; end if;
      if ask.client_per_minute > 0 then client_left := ask.client_per_minute - client_used[ask.client_no]; end if;
      if ask.rule_per_minute > 0 then rule_left := ask.rule_per_minute - rule_used[ask.rule_no]; end if;
    end if;
    if ask.key_no is not null and verdict in ('admitted', 'joined') then known_keys[ask.key_no] := true; end if;
    return next;
  end loop;

  if cardinality(clients) + cardinality(rules) > 0 then
    update prompt_meters m set minute = this_minute, used = wanted.used
    from (
      select 'client' as kind, clients[n] as id, client_used[n] as used from generate_subscripts(clients, 1) as n
      union all
      select 'rule', rules[n], rule_used[n] from generate_subscripts(rules, 1) as n
    ) as wanted
    where m.kind = wanted.kind and m.id = wanted.id and (m.minute, m.used) is distinct from (this_minute, wanted.used);
  end if;
end $$;
`;
