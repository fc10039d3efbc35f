import { randomUUID } from 'node:crypto';
import {
  routes,
  type AuthorizationRequestDocument,
  type Page,
  type Problem,
  type Route,
  type Rule,
} from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accessMatrix, type Apartness } from '../../../../test/support/access-matrix.js';
import { AssentClient } from '../../../../test/support/assent-client.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';

/**
 * I23: an API client sees and changes nothing of another one's. The whole API is replayed with swapped credentials, as the
 * matrix of access says (`test/routes.spec.ts` holds that it has a row for every route).
 */
const treatmentOf = ({ operationId }: Route): Apartness | undefined => accessMatrix[operationId]?.[1];

let house: RulesHouse;
let rule: Rule;
let own: AssentClient;
let other: AssentClient;
const mark = `mark-${randomUUID()}`;
const ids: string[] = [];
beforeAll(async () => {
  house = await RulesHouse.open();
  rule = await house.rule();
  own = await house.client('requests:write', 'requests:read');
  other = await house.client('requests:write', 'requests:read');
  const body = { rule: rule.id, attributes: { email: 'alice@example.com' }, metadata: { mark } };
  for (let n = 0; n < 3; n++) ids.push((await own.submit(body)).body.id);
  await house.approve(ids[1]!);
  await house.deny(ids[2]!);
});
afterAll(() => house.close());

const call = async (client: AssentClient, { method, path }: Route, id: string) => {
  const answer = await fetch(`${house.url}${path.replace('{id}', id)}`, {
    method,
    headers: {
      authorization: `Bearer ${client.apiKey}`,
      ...(method !== 'GET' && { 'content-type': 'application/json' }),
    },
    ...(method !== 'GET' && { body: '{}' }),
  });
  return { status: answer.status, text: await answer.text() };
};
const rows = () => house.query<{ row: string }>('select r::text as row from authorization_requests r order by id');
const withTreatment = (wanted: Apartness) =>
  routes.filter((route) => treatmentOf(route) === wanted).map((route) => [route.operationId, route] as const);

describe('what belongs to another client (I23)', () => {
  it.each(withTreatment('one request'))('is not there for %s, and nothing changes', async (_, route) => {
    const before = await rows();
    const nobody = await call(other, route, '01890000-0000-7000-8000-00000000ffff');
    for (const id of ids) {
      const answer = await call(other, route, id);
      // The same answer as for a request that nobody ever made.
      expect(answer).toEqual(nobody);
      expect(answer.status).toBe(404);
      expect(answer.text).not.toContain(mark);
    }
    expect(await rows()).toEqual(before);
  });

  it.each(withTreatment('administration'))('is out of reach for %s', async (_, route) => {
    const answer = await call(other, route, ids[0]!);
    expect([answer.status, (JSON.parse(answer.text) as Problem).code]).toEqual([403, 'insufficient_scope']);
    expect(answer.text).not.toContain(mark);
  });

  it.each(withTreatment('own requests'))('is neither listed nor counted by %s', async () => {
    const made = (await other.submit({ rule: rule.id, attributes: { email: 'bob@example.com' } })).body.id;
    const filters = ['', '?status=requested', `?rule=${rule.id}`, '?limit=1', '?createdAfter=2000-01-01T00:00:00Z'];
    for (const filter of filters) {
      const path = `/v1/authorization-requests${filter}`;
      const { body } = await other.call<Page<AuthorizationRequestDocument>>('GET', path);
      expect([filter, body.data.map(({ id }) => id), body.nextCursor]).toEqual([filter, [made], null]);
    }
  });

  it('is not met again under its idempotency key', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = { rule: rule.id, attributes: { email: 'alice@example.com' }, metadata: { mark } };
    const mine = await own.submit(body, key);
    const theirs = await other.submit({ ...body, metadata: {} }, key);
    expect([mine.status, theirs.status, theirs.headers.get('idempotent-replayed')]).toEqual([202, 202, null]);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it.each(withTreatment('public'))('does not show in %s', async (_, route) => {
    if (route.operationId === 'receiveCibaNotification') return;
    const { text } = await call(other, route, '');
    for (const secret of [mark, ...ids]) expect(text).not.toContain(secret);
  });
});
