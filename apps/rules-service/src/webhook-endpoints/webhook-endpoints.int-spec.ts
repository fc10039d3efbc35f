import {
  createdWebhookEndpoint,
  delivery,
  page,
  replayedDeliveries,
  webhookEndpoint,
  type CreatedWebhookEndpoint,
  type Delivery,
  type Page,
  type Problem,
  type ReplayedDeliveries,
} from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RulesHouse } from '../../../../test/support/rules-house.js';

let house: RulesHouse;
beforeAll(async () => {
  house = await RulesHouse.open();
});
afterAll(() => house.close());

const make = (over: object = {}) =>
  house.admin.create<CreatedWebhookEndpoint>('webhook-endpoints', { url: 'https://hooks.example/in', ...over });
const call = <Body>(method: string, path: string, body?: object) =>
  house.admin.call<Body & Problem>(method, `/v1/webhook-endpoints/${path}`, body);
const nobody = '01948b9e-6a4f-7c11-9d0f-3f5a1be0c7a2';

describe('a webhook endpoint', () => {
  it('says what it is told, and of nothing that went wrong yet', async () => {
    const made = await make();
    expect(createdWebhookEndpoint.parse(made)).toEqual(made);
    expect(made.events).toEqual([
      'decision.approved',
      'decision.denied',
      'decision.expired',
      'decision.cancelled',
      'decision.failed',
    ]);
    expect(made).toMatchObject({ disabledReason: null, failingSince: null, previousSecretUntil: null });
    const notices = await make({ events: ['webhook_endpoint.disabled', 'key_pair.expiring', 'test.ping'] });
    expect(notices.events).toHaveLength(3);
  });

  it('gets a new secret, and keeps the one before for a day unless told otherwise', async () => {
    const made = await make();
    const { status, headers, body } = await call<CreatedWebhookEndpoint>('POST', `${made.id}/rotate`);
    expect([status, headers.get('cache-control'), headers.get('etag')]).toEqual([200, 'no-store', '"2"']);
    expect(createdWebhookEndpoint.parse(body)).toEqual(body);
    expect(body.secret).toMatch(/^whsec_/);
    expect(body.secret).not.toBe(made.secret);
    expect(Date.parse(body.previousSecretUntil!)).toBeGreaterThan(Date.now() + 86_000_000);
    const shown = await call('GET', made.id);
    expect(webhookEndpoint.parse(shown.body)).toEqual(shown.body);
    expect((await call('POST', `${made.id}/rotate`, { overlapSeconds: 0 })).body).toMatchObject({
      previousSecretUntil: null,
      version: 3,
    });
    expect((await call('POST', `${made.id}/rotate`, { overlapSeconds: 604_801 })).body.code).toBe('invalid_body');
    expect((await call('POST', `${nobody}/rotate`)).body.code).toBe('not_found');
  });

  it('is sent a test, whose delivery can be looked at', async () => {
    const { id } = await make();
    const sent = await call<Delivery>('POST', `${id}/test`);
    expect([sent.status, sent.headers.get('location')]).toEqual([
      202,
      `/v1/webhook-endpoints/${id}/deliveries/${sent.body.id}`,
    ]);
    expect(delivery.parse(sent.body)).toMatchObject({ type: 'test.ping', state: 'pending', attempts: [] });
    expect((await call('GET', `${id}/deliveries/${sent.body.id}`)).body).toEqual(sent.body);
    const other = await make();
    expect((await call('GET', `${other.id}/deliveries/${sent.body.id}`)).body.code).toBe('not_found');
    expect((await call('GET', `${id}/deliveries/${nobody}`)).body.code).toBe('not_found');
    expect((await call('GET', `${id}/deliveries/no-id`)).body.code).toBe('not_found');
    expect((await call('POST', `${nobody}/test`)).body.code).toBe('not_found');
  });

  it('gets deliveries again: one, or those of a time', async () => {
    const { id } = await make({ events: ['decision.denied'] });
    const rule = await house.rule();
    for (let index = 0; index < 2; index++) await house.deny(await house.request(rule));
    await house.query(`update deliveries set state = 'exhausted', next_attempt_at = null where endpoint_id = $1`, [id]);
    const listed = await call<Page<Delivery>>('GET', `${id}/deliveries?state=exhausted`);
    expect(page(delivery).parse(listed.body).data).toHaveLength(2);
    expect(listed.body.data[0]).toMatchObject({ type: 'decision.denied' });
    const next = await call('GET', `${id}/deliveries?state=exhausted&limit=1`);
    expect(next.headers.get('link')).toContain('state=exhausted');

    const again = await call<Delivery>('POST', `${id}/deliveries/${listed.body.data[0]!.id}/replay`);
    expect([again.status, again.body.state]).toEqual([202, 'pending']);
    const rest = await call<ReplayedDeliveries>('POST', `${id}/deliveries/replay`, { since: '2020-01-01T00:00:00Z' });
    expect([rest.status, replayedDeliveries.parse(rest.body)]).toEqual([202, { replayed: 1, nextCursor: null }]);
    expect((await call('GET', `${id}/deliveries?state=bogus`)).body.code).toBe('invalid_parameter');
    const bad = { since: '2020-01-01T00:00:00Z', cursor: 'no cursor' };
    expect((await call('POST', `${id}/deliveries/replay`, bad)).body.code).toBe('invalid_cursor');
    expect((await call('POST', `${id}/deliveries/replay`, { since: 'yesterday' })).body.code).toBe('invalid_body');
    expect((await call('POST', `${nobody}/deliveries/replay`, { since: '2020-01-01T00:00:00Z' })).status).toBe(404);
  });

  it('that is disabled gets nothing, and says so', async () => {
    const { id } = await make();
    const { body: sent } = await call<Delivery>('POST', `${id}/test`);
    await call('PATCH', id, { enabled: false });
    for (const path of ['test', `deliveries/${sent.id}/replay`]) {
      expect((await call('POST', `${id}/${path}`)).body).toMatchObject({
        status: 409,
        code: 'webhook_endpoint_disabled',
      });
    }
    const range = await call('POST', `${id}/deliveries/replay`, { since: '2020-01-01T00:00:00Z' });
    expect(range.body.code).toBe('webhook_endpoint_disabled');
  });
});
