/** What the database allows by itself, tried out row by row and column by column: it is the domain's table. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { denialReasons, failureReasons, moves, outcomes, statuses, type Status } from '#lib/domain';
import { Client } from 'pg';
import { openFixture, submitted, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';

let fixture: DatabaseFixture;
let client: Client;
let id: string;
beforeAll(async () => {
  fixture = await openFixture();
  client = new Client({ connectionString: fixture.url });
  await client.connect();
  id = await submitted(fixture.database, fixture.rule);
}, 120_000);
afterAll(async () => {
  await client.end();
  await fixture.close();
}, 120_000);

/** What stands in each column that depends on the status, as SQL; a row holds what its status demands and no more. */
const values = {
  reason: `'outcome_unknown'`,
  ended_at: 'clock_timestamp()',
  auth_req_id: `'\\x01'`,
  auth_req_id_sha256: `'\\x02'`,
  sent_at: 'clock_timestamp()',
  expires_at: 'clock_timestamp()',
  interval_seconds: '5',
  evidence: `'{}'`,
  id_token_sha256: `'hash'`,
  granted_scope: `'openid'`,
  consume_by: `'2999-01-01'`,
  consumed_at: `'2026-01-01'`,
  consumed_by: `'client'`,
  released_token: `'\\x03'`,
  user_code: `'\\x04'`,
  decision_id: `'00000000-0000-7000-8000-000000000001'`,
} as const;
type Column = keyof typeof values;
const columns = Object.keys(values) as Column[];

const askedFor: readonly Column[] = ['auth_req_id_sha256', 'sent_at', 'expires_at', 'interval_seconds'];
const isOver = (status: Status): boolean => (outcomes as readonly Status[]).includes(status);

/** The columns that a status demands. */
function demanded(status: Status): Column[] {
  return [
    ...(status === 'failed' ? (['reason'] as const) : []),
    ...(isOver(status) ? (['ended_at'] as const) : []),
    ...(status === 'pending' ? (['auth_req_id', ...askedFor] as const) : []),
    ...(status === 'approved'
      ? ([...askedFor, 'evidence', 'id_token_sha256', 'granted_scope', 'consume_by'] as const)
      : []),
  ];
}

/** The columns that a status may have beside them. */
function allowed(status: Status): Column[] {
  return [
    'auth_req_id_sha256',
    'sent_at',
    'expires_at',
    'interval_seconds',
    'id_token_sha256',
    'granted_scope',
    'consumed_by',
    ...(isOver(status) ? (['decision_id'] as const) : []),
    ...(status === 'requested' ? (['user_code'] as const) : []),
    ...(status === 'approved' ? (['released_token'] as const) : []),
  ];
}

const settingOf = (held: readonly Column[], over: Partial<Record<Column, string>> = {}): string =>
  columns
    .map((column) => `${column} = ${over[column] ?? (held.includes(column) ? values[column] : 'null')}`)
    .join(', ');

/** Whether the database takes a change of a row that was put into `from` behind its back; nothing stays. */
async function takes(from: Status, setting: string): Promise<boolean> {
  await client.query('begin');
  try {
    await client.query('alter table authorization_requests disable trigger authorization_requests__guard');
    await client.query(
      `update authorization_requests set status = '${from}', ${settingOf(demanded(from))} where id = $1`,
      [id],
    );
    await client.query('alter table authorization_requests enable trigger authorization_requests__guard');
    await client.query(
      `update authorization_requests set state_version = state_version + 1, ${setting} where id = $1`,
      [id],
    );
    return true;
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('23') !== true) throw error;
    return false;
  } finally {
    await client.query('rollback');
  }
}

describe('the database, asked by itself', () => {
  it.each(statuses.flatMap((from) => statuses.map((to) => [from, to] as const)))(
    'lets %s become %s as the domain does',
    async (from, to) => {
      const legal = from === to || (moves[from] as readonly Status[]).includes(to);
      expect(await takes(from, `status = '${to}', ${settingOf(demanded(to))}`)).toBe(legal);
    },
  );

  it.each(statuses.flatMap((status) => columns.map((column) => [status, column] as const)))(
    'demands, allows or forbids for %s the column %s',
    async (status, column) => {
      const held = demanded(status);
      const without = settingOf(held.filter((one) => one !== column));
      const reason = status === 'denied' ? { reason: `'${denialReasons[0]}'` } : {};
      const withIt = settingOf(
        [...held, column, ...(column === 'consumed_at' ? (['consumed_by'] as const) : [])],
        column === 'reason' ? reason : {},
      );
      const mayHave =
        held.includes(column) ||
        allowed(status).includes(column) ||
        (column === 'consumed_at' && status === 'approved') ||
        (column === 'reason' && status === 'denied');
      expect([await takes(status, without), await takes(status, withIt)]).toEqual([!held.includes(column), mayHave]);
    },
  );

  it.each(
    statuses.flatMap((status) =>
      [...failureReasons, ...denialReasons, 'no_such_reason'].map((reason) => [status, reason] as const),
    ),
  )('takes for %s the reason %s only where the domain has it', async (status, reason) => {
    const reasons: readonly string[] = status === 'failed' ? failureReasons : status === 'denied' ? denialReasons : [];
    const setting = settingOf([...demanded(status), 'reason'], { reason: `'${reason}'` });
    expect(await takes(status, setting)).toBe(reasons.includes(reason));
  });

  it.each([
    ['a consumption by nobody', { consumed_at: `'2026-01-01'` }],
    ['a consumption after its window', { consumed_at: `'2999-01-02'`, consumed_by: `'client'` }],
  ])('refuses %s', async (_what, over) => {
    expect(await takes('approved', settingOf(demanded('approved'), over))).toBe(false);
  });
});
