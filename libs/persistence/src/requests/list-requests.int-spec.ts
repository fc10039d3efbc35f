import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { aRule, openFixture, submitted, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import { listStatement } from './list-requests.js';
import type { RequestFilter } from './request.types.js';

const limit = 10;
const many = 6_000;
let fixture: DatabaseFixture;
let server: pg.Client;
let few: { id: string; name: string };

/** So many requests of one rule, a day of them; nobody has been asked about any but the oldest, which was cancelled. */
const multiply = /* sql */ `
  insert into authorization_requests
  select (jsonb_populate_record(r, jsonb_build_object(
    'id', lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7000' || '8000' || lpad(to_hex(number), 12, '0'),
    'idempotency_key', 'copy-' || number, 'created_at', at, 'shard', number % 256,
    'status', case number when 1 then 'cancelled' else 'requested' end,
    'ended_at', case number when 1 then at end, 'subject_key', null))).*
  from authorization_requests r, generate_series(1, $2::integer) number,
    lateral (select now() - (2 + ($2::integer - number) * 24.0 / $2::integer) * interval '1 hour' as at) as moment
  where r.id = $1`;

beforeAll(async () => {
  fixture = await openFixture();
  server = new pg.Client({ connectionString: fixture.url });
  await server.connect();
  const id = await submitted(fixture.database, fixture.rule);
  await server.query('set session_replication_role = replica');
  await server.query(multiply, [id, many]);
  await server.query('reset session_replication_role');
  const rule = await aRule(fixture.database, { tokenProviderId: fixture.provider.id });
  few = { id: rule.id, name: rule.definition.name };
  for (let made = 0; made < 3; made++) await submitted(fixture.database, rule);
  await server.query('vacuum analyze authorization_requests');
}, 120_000);
afterAll(async () => {
  await server.end();
  await fixture.close();
}, 60_000);

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Rows that a plan has read from tables, those that it threw away included. */
const rowsRead = (node: PlanNode): number => {
  const { 'Actual Rows': rows, 'Rows Removed by Filter': filtered = 0, 'Actual Loops': loops } = node;
  const own = node['Node Type'].includes('Scan') ? (rows + filtered) * loops : 0;
  return own + (node.Plans ?? []).reduce((sum, plan) => sum + rowsRead(plan), 0);
};

const base = { apiClientId: null, limit };
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);

describe('a page reads hardly more than itself', () => {
  it.each<[string, () => Partial<RequestFilter>, (() => string[]) | null]>([
    ['without a filter', () => ({}), null],
    ['of a rule that is rare', () => ({ rule: few.name }), () => [few.id]],
    ['of a status that hardly any has', () => ({ statuses: ['cancelled'] }), null],
    ['of statuses that none has', () => ({ statuses: ['failed', 'denied', 'expired'] }), null],
    ['of a rule and a status that do not meet', () => ({ rule: few.id, statuses: ['cancelled'] }), () => [few.id]],
    [
      'of one client with a rare status',
      () => ({ apiClientId: '00000000-0000-7000-8000-0000000000aa', statuses: ['cancelled'] }),
      null,
    ],
  ])('%s', async (_what, filter, rules) => {
    const { text, values } = listStatement({ ...base, ...filter() }, rules?.() ?? null);
    const explained = await server.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (analyze, format json) ${text}`,
      values,
    );
    // Three tables' worth of a page for each of three statuses.
    expect(rowsRead(explained.rows[0]!['QUERY PLAN'][0].Plan)).toBeLessThan(12 * limit);
  });

  it('of a time in the past, but for an hour that clocks may be apart', async () => {
    const filter = { ...base, createdAfter: hoursAgo(20), createdBefore: hoursAgo(10) };
    const { text, values } = listStatement(filter, null);
    const explained = await server.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (analyze, format json) ${text}`,
      values,
    );
    expect(rowsRead(explained.rows[0]!['QUERY PLAN'][0].Plan)).toBeLessThan(many / 24 + 12 * limit);
  });
});

describe('a list', () => {
  it('finds a rule by its id in any case, and by its name', async () => {
    for (const rule of [few.id, few.id.toUpperCase(), few.name]) {
      const { data } = await fixture.database.requests.list({ ...base, rule });
      expect([rule, data.length]).toEqual([rule, 3]);
      expect(data.every((request) => request.rule.id === few.id)).toBe(true);
    }
    expect((await fixture.database.requests.list({ ...base, rule: few.id.slice(1) })).data).toEqual([]);
  });

  it('leaves nothing out at the edges of a time, and goes on where a page ends', async () => {
    const seen: string[] = [];
    const filter = { ...base, limit: 100, statuses: ['requested', 'cancelled'] as const, createdBefore: hoursAgo(25) };
    for (let cursor: string | undefined; ;) {
      const page = await fixture.database.requests.list({ ...filter, cursor });
      seen.push(...page.data.map(({ id }) => id));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    const all = await server.query<{ id: string }>(
      `select id from authorization_requests where created_at < $1 order by id desc`,
      [filter.createdBefore],
    );
    expect(seen.length).toBeGreaterThan(100);
    expect(seen).toEqual(all.rows.map(({ id }) => id));
  });
});
