import { v7 as uuid } from 'uuid';
import { overview, type Overview } from '#lib/contracts';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { RulesHouse } from '../../../../test/support/rules-house.js';

const limitMs = 60_000;
let house: RulesHouse;
beforeAll(async () => {
  house = await RulesHouse.open();
}, limitMs);
afterAll(() => house?.close(), limitMs);

/** Past what is remembered for two seconds: each window is remembered by itself. */
const read = async (window: '1h' | '24h' | '7d') =>
  (await house.admin.call<Overview>('GET', `/console/api/overview?window=${window}`)).body;

it('has nothing to show, and says what to do first', async () => {
  const nothing = await read('7d');
  expect(overview.parse(nothing)).toEqual(nothing);
  expect(nothing).toMatchObject({
    accepted: 0,
    pendingNow: 0,
    approvalTime: { p50Ms: null, p95Ms: null },
    providers: [],
  });
  expect(nothing.buckets).toHaveLength(42);
  expect(Object.values(nothing.firstSteps)).toEqual([false, false, false, false, false, false]);
  expect((await house.admin.call('GET', '/console/api/overview?window=1y')).status).toBe(400);
});

it('counts what was asked and how it ended, part by part', async () => {
  const rule = await house.rule();
  const [approved, denied, , old] = [
    await house.request(rule),
    await house.request(rule),
    await house.request(rule),
    await house.request(rule),
  ];
  await house.approve(approved);
  await house.deny(denied);
  await house.query('alter table authorization_requests disable trigger user');
  await house.query(`update authorization_requests set created_at = ended_at - interval '4 seconds' where id = $1`, [
    approved,
  ]);
  // Before the hour, and inside of the day; ids are made with the time.
  const earlier = uuid({ msecs: Date.now() - 7_200_000 });
  await house.query('delete from request_timeline where request_id = $1', [old]);
  await house.query(
    `update authorization_requests set id = $2, created_at = created_at - interval '2 hours' where id = $1`,
    [old, earlier],
  );
  const hour = await read('1h');
  expect(hour).toMatchObject({ accepted: 3, pendingNow: 2 });
  expect(hour.outcomes).toEqual({ approved: 1, denied: 1, expired: 0, cancelled: 0, failed: 0 });
  expect(hour.approvalTime).toEqual({ p50Ms: 4000, p95Ms: 4000 });
  const sums = hour.buckets.reduce((sum, { outcomes }) => sum + outcomes.approved + outcomes.denied, 0);
  expect(sums).toBe(2);
  const gaps = hour.buckets.slice(1).map(({ from }, index) => Date.parse(from) - Date.parse(hour.buckets[index]!.from));
  expect(new Set(gaps)).toEqual(new Set([120_000]));
  expect((await read('24h')).accepted).toBe(4);
  expect(hour.providers).toEqual([expect.objectContaining({ asked: 2, failed: 0, health: 'good' })]);
  expect(hour.firstSteps).toMatchObject({
    tokenProvider: true,
    rule: true,
    request: true,
    approval: true,
    apiClient: false,
  });
});
