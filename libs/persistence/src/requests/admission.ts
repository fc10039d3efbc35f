import type { PromptLimits } from '#lib/domain';
import type { LookupKey } from '../lookup-key.js';
import { hex } from '../sql.js';
import type { NewRequest } from './request.types.js';

/** What `admit_requests` is asked about a batch: each person, client and rule that counts, once, and the asks in order. */
export interface Admission {
  readonly persons: readonly Buffer[];
  readonly clients: readonly string[];
  readonly rules: readonly string[];
  readonly asks: string;
}

/** Prepares the question whether the requests of a batch may be asked now. */
export function admissionOf(requests: readonly NewRequest[], lookup: LookupKey): Admission {
  const persons = new Numbered<Buffer>();
  const clients = new Numbered<string>();
  const rules = new Numbered<string>();
  const keys = new Numbered<string>();
  const joins = new Numbered<string>();
  const asks = requests.map((request, n) => {
    const { id, apiClientId, idempotencyKey, limits, joinText } = request;
    const person = lookup.ofPerson(request.person);
    const join = joinText === null ? null : lookup.ofAsked(joinText);
    return {
      n,
      id,
      api_client_id: apiClientId,
      idempotency_key: idempotencyKey,
      join_key: join && hex(join),
      key_no: idempotencyKey === null ? null : keys.of(`${apiClientId} ${idempotencyKey}`, idempotencyKey),
      person_no: limitsPerson(limits) || join !== null ? persons.of(person.toString('hex'), person) : null,
      join_no: join === null ? null : joins.of(join.toString('hex'), ''),
      client_no: limits.clientPerMinute > 0 ? clients.of(apiClientId, apiClientId) : null,
      rule_no: limits.rulePerMinute > 0 ? rules.of(request.rule.id, request.rule.id) : null,
      outstanding: limits.outstanding,
      per_five_minutes: limits.perFiveMinutes,
      per_hour: limits.perHour,
      cool_down_seconds: limits.coolDownSeconds,
      client_per_minute: limits.clientPerMinute,
      rule_per_minute: limits.rulePerMinute,
    };
  });
  return { persons: persons.values, clients: clients.values, rules: rules.values, asks: JSON.stringify(asks) };
}

const limitsPerson = ({ outstanding, perFiveMinutes, perHour, coolDownSeconds }: PromptLimits): boolean =>
  outstanding > 0 || perFiveMinutes > 0 || perHour > 0 || coolDownSeconds > 0;

/** Numbers values from 1 in the order in which they come, equal ones alike. */
class Numbered<Value> {
  readonly values: Value[] = [];
  private readonly numbers = new Map<string, number>();

  of(key: string, value: Value): number {
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const number = this.values.push(value);
    this.numbers.set(key, number);
    return number;
  }
}
