import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { RulesHouse } from '../../../test/support/rules-house.js';

jest.setTimeout(120_000);

/** Somebody holds a lock and does not let go: the caller is told to come back, and nobody else notices. */

let house: RulesHouse;
beforeAll(async () => {
  house = await RulesHouse.open();
});
afterAll(() => house.close());

it('is answered 503 with Retry-After, while other callers are served, and works afterwards', async () => {
  const rule = await house.rule();
  const [locked, free] = [await house.request(rule), await house.request(rule)];
  await house.query('begin');
  await house.query('select from authorization_requests where id = $1 for update', [locked]);
  const answered: string[] = [];
  const held = house.admin.cancel(locked).then((answer) => {
    answered.push('held');
    return answer;
  });
  const others = await Promise.all([
    house.admin.cancel(free),
    house.admin.request(locked),
    house.admin.submit({ rule: rule.id, attributes: { email: 'alice@example.com' } }),
  ]);
  answered.push('others');
  expect(others.map(({ status }) => status)).toEqual([200, 200, 202]);
  const { status, headers, body } = await held;
  expect(answered).toEqual(['others', 'held']);
  expect([status, Number(headers.get('retry-after'))]).toEqual([503, expect.any(Number)]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body).toMatchObject({ code: 'database_unavailable' });
  await house.query('rollback');
  expect((await house.admin.request(locked)).body.status).toBe('requested');
  expect((await house.admin.cancel(locked)).status).toBe(200);
});

it('also where an administrator waits', async () => {
  const rule = await house.rule();
  await house.query('begin');
  await house.query('select from rules where id = $1 for update', [rule.id]);
  const answer = await house.admin.call('PATCH', `/v1/rules/${rule.id}`, { enabled: false });
  expect([answer.status, answer.headers.has('retry-after')]).toEqual([503, true]);
  await house.query('rollback');
  expect((await house.admin.call<{ enabled: boolean }>('GET', `/v1/rules/${rule.id}`)).body.enabled).toBe(true);
});
