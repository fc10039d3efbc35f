import type { Page } from '#lib/contracts';
import { cursorId, firstIdAt, isUuid, pageOf } from '../paging.js';
import { statement, type Sql } from '../sql.js';
import { isStorable } from '../storable.js';
import type { RequestFilter, RequestView } from './request.types.js';
import { toView, viewColumns, type ViewRow } from './view-row.js';

/** How far the clock that made an id may be from the database's, which says when a request came: an hour. */
const clocksApartMs = 3_600_000;

/**
 * Lists requests, newest first. Every filter leads to an index that has the ids in order: a page costs the same whatever
 * the number of requests, also when hardly any or none of them pass.
 */
export class ListRequests {
  constructor(private readonly sql: Sql) {}

  async page(filter: RequestFilter): Promise<Page<RequestView>> {
    const rules = filter.rule === undefined ? null : await this.rulesOf(filter.rule);
    if (rules?.length === 0) return { data: [], nextCursor: null };
    const { text, values } = listStatement(filter, rules);
    // Planned anew for these values: what is best for a common status is the worst for a rare one.
    const rows = await this.sql.unnamed<ViewRow & Record<string, unknown>>(text, values);
    return pageOf(rows.map(toView), filter.limit);
  }

  /** The rules that have, or once had, this name or id. */
  private async rulesOf(rule: string): Promise<string[]> {
    if (!isStorable(rule)) return [];
    const rows = await this.sql.rows<{ id: string }>(selectRuleIds, [rule]);
    return rows.map(({ id }) => id);
  }
}

/** Composes the statement for the filters that are given; `rules`: the ids of those that are meant, null for all. */
export function listStatement(
  filter: RequestFilter,
  rules: readonly string[] | null,
): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const value = (given: unknown): string => `$${values.push(given)}`;
  const conditions = conditionsOf(filter, rules, value);
  const limit = `${value(filter.limit + 1)}::integer`;
  const statuses = filter.statuses && [...new Set(filter.statuses)];
  // The newest of each status, then the newest of those: no status is read further than a page.
  const newest = statuses?.map((status) => {
    const among = [`r.status = ${value(status)}`, ...conditions].join(' and ');
    return `(select r.id from authorization_requests r where ${among} order by r.id desc limit ${limit})`;
  });
  const among = newest === undefined ? conditions : [`r.id in (${newest.join(' union all ')})`];
  const where = among.length === 0 ? '' : `where ${among.join(' and ')}`;
  return { text: `${viewColumns} ${where} order by r.id desc limit ${limit}`, values };
}

function conditionsOf(
  { apiClientId, rule, createdAfter, createdBefore, cursor }: RequestFilter,
  rules: readonly string[] | null,
  value: (given: unknown) => string,
): string[] {
  const conditions: string[] = [];
  const before = cursorId(cursor);
  if (apiClientId !== null) conditions.push(`r.api_client_id = ${value(apiClientId)}::uuid`);
  if (rules !== null) {
    const among = rules.length === 1 ? `= ${value(rules[0])}::uuid` : `= any(${value(rules)}::uuid[])`;
    const named = `r.rule_name = ${value(rule)}`;
    conditions.push(`r.rule_id ${among}`, isUuid(rule!) ? `(r.rule_id = ${value(rule)}::uuid or ${named})` : named);
  }
  // Ids begin with the time at which they were made; what they leave in is looked at by its own time.
  if (createdAfter) {
    const from = firstIdAt(createdAfter.getTime() - clocksApartMs);
    conditions.push(`r.id >= ${value(from)}::uuid`, `r.created_at > ${value(createdAfter)}::timestamptz`);
  }
  if (createdBefore) {
    const until = firstIdAt(createdBefore.getTime() + clocksApartMs);
    conditions.push(`r.id < ${value(until)}::uuid`, `r.created_at < ${value(createdBefore)}::timestamptz`);
  }
  if (before !== null) conditions.push(`r.id < ${value(before)}::uuid`);
  return conditions;
}

// Versions stay when a rule is renamed or deleted, and are as few as its changes.
const selectRuleIds = statement(
  'select_rule_ids',
  /* sql */ `
  select distinct rule_id as id from rule_versions where rule_id::text = lower($1) or definition->>'name' = $1`,
);
