import { randomUUID } from 'node:crypto';
import {
  apiClient,
  rotatedApiClient,
  rotatedKeyLifeDays,
  type ApiClient,
  type Problem,
  type RotatedApiClient,
} from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AssentClient } from '../../../../test/support/assent-client.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';
import { KeyUse } from './key-use.js';

let house: RulesHouse;
beforeAll(async () => {
  house = await RulesHouse.open();
});
afterAll(() => house.close());

const make = (over: object = {}) =>
  house.admin.create<ApiClient & { key: string }>('api-clients', {
    name: `Client ${randomUUID()}`,
    scopes: ['requests:read'],
    ...over,
  });
const statusOf = async (key: string): Promise<number> =>
  (await new AssentClient(house.url, key).call('GET', '/v1/authorization-requests')).status;
const rotate = (id: string, body?: object) =>
  house.admin.call<RotatedApiClient & Problem>('POST', `/v1/api-clients/${id}/rotate`, body ?? {});
const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
/** The service remembers keys for a second: what is changed behind its back it sees then. */
const moveBack = async (id: string, column: string) => {
  await house.query(`update api_clients set ${column} = clock_timestamp() - interval '1 second' where id = $1`, [id]);
  await house.admin.call('PATCH', `/v1/api-clients/${id}`, {});
};

describe('a key', () => {
  it('ends when it says so', async () => {
    const made = await make({ expiresAt: soon(600) });
    expect(apiClient.parse((await house.admin.call('GET', `/v1/api-clients/${made.id}`)).body)).toMatchObject({
      expiresAt: made.expiresAt,
      previousKey: null,
      lastUsedAt: null,
    });
    expect(await statusOf(made.key)).toBe(200);
    await house.admin.call('PATCH', `/v1/api-clients/${made.id}`, { expiresAt: soon(-1) });
    expect(await statusOf(made.key)).toBe(401);
    await house.admin.call('PATCH', `/v1/api-clients/${made.id}`, { expiresAt: null });
    expect(await statusOf(made.key)).toBe(200);
  });

  it('is replaced at once', async () => {
    const made = await make();
    const { status, headers, body } = await rotate(made.id);
    expect([status, headers.get('cache-control'), headers.get('etag')]).toEqual([200, 'no-store', '"2"']);
    expect(rotatedApiClient.parse(body)).toEqual(body);
    expect(body).toMatchObject({ id: made.id, previousKey: null, keyPrefix: body.key.slice(0, 11) });
    expect([await statusOf(made.key), await statusOf(body.key)]).toEqual([401, 200]);
  });

  it('works on for the overlap, and no longer', async () => {
    const made = await make();
    const { body } = await rotate(made.id, { overlapSeconds: 600, expiresAt: soon(6000) });
    expect(body.previousKey).toMatchObject({ prefix: made.keyPrefix });
    expect([await statusOf(made.key), await statusOf(body.key)]).toEqual([200, 200]);
    await moveBack(made.id, 'previous_key_expires_at');
    expect([await statusOf(made.key), await statusOf(body.key)]).toEqual([401, 200]);
  });

  it('stops when the next one is replaced: two work at most', async () => {
    const made = await make();
    const second = (await rotate(made.id, { overlapSeconds: 600 })).body.key;
    const third = (await rotate(made.id, { overlapSeconds: 600 })).body.key;
    const statuses = await Promise.all([made.key, second, third].map(statusOf));
    expect(statuses).toEqual([401, 200, 200]);
  });

  it('never lives longer by an overlap than it would have', async () => {
    const made = await make({ expiresAt: soon(60) });
    const { body } = await rotate(made.id, { overlapSeconds: 6000 });
    expect(body.previousKey!.expiresAt).toBe(made.expiresAt);
  });

  it.each([
    ['of a key without end', null],
    ['of a key that ends', soon(60)],
  ])('has an end when the rotation %s names none', async (_, expiresAt) => {
    const made = await make({ expiresAt });
    for (const body of [{}, { overlapSeconds: 60 }]) {
      const { body: rotated } = await rotate(made.id, body);
      const days = (Date.parse(rotated.expiresAt!) - Date.parse(rotated.updatedAt)) / 86_400_000;
      expect(days).toBeGreaterThan(rotatedKeyLifeDays - 0.01);
      expect(days).toBeLessThan(rotatedKeyLifeDays + 0.01);
    }
  });

  it('lives without end only when the rotation says so', async () => {
    const { id } = await make({ expiresAt: soon(60) });
    expect((await rotate(id, { expiresAt: null })).body.expiresAt).toBeNull();
  });

  it('stops with its client, the one before it too', async () => {
    const made = await make();
    const { key } = (await rotate(made.id, { overlapSeconds: 600 })).body;
    await house.admin.call('PATCH', `/v1/api-clients/${made.id}`, { enabled: false });
    expect(await Promise.all([made.key, key].map(statusOf))).toEqual([401, 401]);
  });

  it('is kept as a hash, the one before it too', async () => {
    const made = await make();
    const { key } = (await rotate(made.id, { overlapSeconds: 600 })).body;
    const rows = JSON.stringify(await house.query('select t::text from api_clients t'));
    for (const secret of [made.key, key]) {
      expect(rows).not.toContain(secret);
      expect(rows).not.toContain(Buffer.from(secret).toString('hex'));
    }
  });

  it('is noted as used, coarsely, and without a new version', async () => {
    const made = await make();
    await statusOf(made.key);
    await house.service.app.get(KeyUse).write();
    const shown = async () => (await house.admin.call<ApiClient>('GET', `/v1/api-clients/${made.id}`)).body;
    const first = await shown();
    expect(Date.parse(first.lastUsedAt!)).toBeGreaterThanOrEqual(Date.parse(made.createdAt));
    expect(first.version).toBe(1);
    await statusOf(made.key);
    await house.service.app.get(KeyUse).write();
    expect((await shown()).lastUsedAt).toBe(first.lastUsedAt);
  });

  it.each([
    ['an overlap without end', { overlapSeconds: 2_592_001 }],
    ['a negative overlap', { overlapSeconds: -1 }],
    ['a key of one’s own', { key: 'assent_x' }],
    ['an end that is no instant', { expiresAt: 'tomorrow' }],
  ])('is not replaced with %s', async (_, body) => {
    const made = await make();
    expect(await rotate(made.id, body)).toMatchObject({ status: 422, body: { code: 'invalid_body' } });
    expect(await statusOf(made.key)).toBe(200);
  });

  it('of nobody is not replaced', async () => {
    expect((await rotate('01890000-0000-7000-8000-00000000ffff')).status).toBe(404);
    expect((await rotate('nobody')).status).toBe(404);
  });
});
