import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { noticeEnvelope, webhookEventTypes, type Decision, type WebhookEventType } from '#lib/contracts';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import { openFixture, submitted, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import type { Database, DeliveryResult, DeliveryWork } from '../index.js';

let fixture: DatabaseFixture;
let database: Database;
let outside: Client;
beforeAll(async () => {
  fixture = await openFixture();
  ({ database } = fixture);
  outside = new Client({ connectionString: fixture.url });
  await outside.connect();
});
afterAll(async () => {
  await outside.end();
  await fixture.close();
});
beforeEach(async () => {
  await outside.query('delete from deliveries');
  await outside.query('delete from webhook_endpoints');
});

const anEndpoint = async (
  events: readonly WebhookEventType[] = webhookEventTypes,
  url = 'https://Hooks.example/in?token=canary',
) => {
  const value = { url, events, description: 'Audit', enabled: true, secret: 'whsec_first' };
  const created = await database.webhookEndpoints.create(value);
  if (created.kind !== 'created') throw new Error(created.kind);
  return created.row;
};
const endpoint = async (id: string) => (await database.webhookEndpoints.find(id))!;
const decided = async (): Promise<string> => {
  const id = await submitted(database, fixture.rule);
  await database.requests.change(id, { type: 'cancel', by: 'client' });
  const decision: Decision = {
    id: uuid(),
    authorizationRequestId: id,
    outcome: 'cancelled',
    reason: null,
    providerError: null,
    rule: { id: fixture.rule.id, name: 'Rule', version: 1 },
    decidedAt: new Date().toISOString(),
    rejection: null,
    evidence: null,
    receipt: null,
    requestHash: 'hash',
    metadata: {},
  };
  await database.decisions.record({ decision, cause: null });
  return id;
};
const claim = () => database.deliveries.claim({ limit: 100, leaseSeconds: 60 });
const finish = (work: readonly DeliveryWork[], over: Partial<DeliveryResult> = {}) =>
  database.deliveries.finish(
    work.map(({ id }) => ({
      ...{ id, at: new Date(), durationMs: 3, status: 500, problem: 'answered 500', outcome: 'exhausted' as const },
      ...over,
    })),
  );
const delivered = { status: 204, problem: null, outcome: 'delivered' } as const;
const longAgo = (id: string) =>
  outside.query(`update webhook_endpoints set failing_since = now() - interval '121 hours' where id = $1`, [id]);

describe('the secret of an endpoint', () => {
  const secrets = async () => {
    await decided();
    const [work] = await claim();
    return work!.secrets;
  };

  it('is replaced with an overlap, in which both sign', async () => {
    const { id } = await anEndpoint();
    expect(await secrets()).toEqual(['whsec_first']);
    const row = (await database.webhookEndpoints.rotateSecret(id, 'whsec_second', 600))!;
    expect(row.version).toBe(2);
    expect(row.previousSecretUntil!.getTime()).toBeGreaterThan(Date.now() + 500_000);
    expect(await secrets()).toEqual(['whsec_second', 'whsec_first']);

    await outside.query(`update webhook_endpoints set previous_secret_until = now() - interval '1 second'`);
    expect(await secrets()).toEqual(['whsec_second']);
    expect((await endpoint(id)).previousSecretUntil).toBeNull();
  });

  it('is replaced once more by whoever lost the answer: the receiver still has the first', async () => {
    const { id } = await anEndpoint();
    await database.webhookEndpoints.rotateSecret(id, 'whsec_lost', 600);
    await database.webhookEndpoints.rotateSecret(id, 'whsec_third', 600);
    expect(await secrets()).toEqual(['whsec_third', 'whsec_first']);
    await database.webhookEndpoints.rotateSecret(id, 'whsec_fourth', 0);
    expect(await secrets()).toEqual(['whsec_fourth']);
  });

  it('is replaced although the one before does not open any more', async () => {
    const { id } = await anEndpoint();
    await outside.query(`update webhook_endpoints set secret = '\\x00'`);
    expect((await database.webhookEndpoints.rotateSecret(id, 'whsec_new', 600))!.previousSecretUntil).toBeNull();
    expect(await secrets()).toEqual(['whsec_new']);
  });

  it('of an endpoint that does not exist is not replaced', async () => {
    expect(await database.webhookEndpoints.rotateSecret(uuid(), 'whsec_new', 600)).toBeNull();
    expect(await database.webhookEndpoints.rotateSecret('no id', 'whsec_new', 600)).toBeNull();
  });
});

describe('an endpoint', () => {
  it('that is gone is disabled at once, and the others are told', async () => {
    const other = await anEndpoint(['webhook_endpoint.disabled']);
    const { id, version } = await anEndpoint();
    await decided();
    const gone = await finish(await claim(), { status: 410, outcome: 'gone' });

    expect(gone).toEqual([{ id, reason: 'gone' }]);
    expect(await endpoint(id)).toMatchObject({ enabled: false, disabledReason: 'gone', version: version + 1 });
    const [told, ...more] = await claim();
    expect(more).toEqual([]);
    expect(told!.target).toBe(other.id);
    const body = noticeEnvelope('webhook_endpoint.disabled').parse(JSON.parse(told!.body));
    expect(body.data).toMatchObject({ id, host: 'hooks.example', description: 'Audit', reason: 'gone' });
    expect(told!.body).not.toContain('canary');
  });

  it('is disabled when everything has failed for five days, and not before', async () => {
    const { id } = await anEndpoint();
    await decided();
    expect(await finish(await claim())).toEqual([]);
    const since = (await endpoint(id)).failingSince;
    expect(since).not.toBeNull();
    await decided();
    expect(await finish(await claim())).toEqual([]);
    expect(await endpoint(id)).toMatchObject({ enabled: true, failingSince: since });

    await longAgo(id);
    await decided();
    expect(await finish(await claim())).toEqual([{ id, reason: 'failing' }]);
    const row = await endpoint(id);
    expect(row).toMatchObject({ enabled: false, disabledReason: 'failing' });
    // It keeps what waits, and gets it when it is enabled; then it has failed for no time at all.
    await outside.query(`update deliveries set state = 'pending', next_attempt_at = now()`);
    expect(await claim()).toEqual([]);
    await database.webhookEndpoints.update(id, null, { ...row, enabled: true });
    expect(await endpoint(id)).toMatchObject({ disabledReason: null, disabledAt: null, failingSince: null });
    expect(await claim()).toHaveLength(3);
  });

  it('begins anew when something arrives', async () => {
    const { id } = await anEndpoint();
    await longAgo(id);
    await decided();
    expect(await finish(await claim(), delivered)).toEqual([]);
    expect(await endpoint(id)).toMatchObject({ enabled: true, failingSince: null });
  });

  it('is not blamed for what it was not asked', async () => {
    const { id } = await anEndpoint();
    await longAgo(id);
    await decided();
    expect(await finish(await claim(), { status: null, ours: true })).toEqual([]);
    expect((await endpoint(id)).enabled).toBe(true);
    await outside.query(`update webhook_endpoints set secret = '\\x00'`);
    await decided();
    expect(await claim()).toEqual([]);
    expect((await endpoint(id)).enabled).toBe(true);
  });

  it('is judged by one of several results that come together, while another process holds it', async () => {
    const { id } = await anEndpoint();
    await longAgo(id);
    await decided();
    await decided();
    const work = await claim();
    const results = await Promise.all(work.map((one) => finish([one])));
    expect(results.flat()).toEqual([{ id, reason: 'failing' }]);
  });
});

describe('a delivery', () => {
  it('is made again on demand, with the whole schedule', async () => {
    const { id } = await anEndpoint();
    await decided();
    const [work] = await claim();
    expect(await database.deliveries.replay(id, work!.id)).toBe(true);
    // It is under way: nobody else gets it.
    expect(await claim()).toEqual([]);
    await finish([work!]);
    expect((await database.deliveries.find(id, work!.id))!.state).toBe('exhausted');
    expect(await database.deliveries.replay(id, work!.id)).toBe(true);
    expect(await claim()).toEqual([{ ...work, failedAttempts: 0 }]);
    expect(await database.deliveries.replay(uuid(), work!.id)).toBe(false);
    expect(await database.deliveries.replay(id, 'no id')).toBe(false);
  });

  it('is made again with all others of a time, in portions', async () => {
    const { id } = await anEndpoint();
    for (let index = 0; index < 5; index++) await decided();
    const work = await claim();
    await finish(work.slice(0, 4));
    await finish(work.slice(4), delivered);
    const range = { since: new Date(0), until: null, state: 'exhausted', limit: 3 } as const;
    const first = await database.deliveries.replayRange(id, { ...range, cursor: undefined });
    expect(first).toEqual({ replayed: 3, nextCursor: expect.any(String) });
    expect(await claim()).toHaveLength(3);
    const second = await database.deliveries.replayRange(id, { ...range, cursor: first.nextCursor! });
    expect(second).toEqual({ replayed: 1, nextCursor: null });
    expect(await claim()).toHaveLength(1);
    expect(await database.deliveries.replayRange(id, { ...range, state: 'delivered', cursor: undefined })).toEqual({
      replayed: 1,
      nextCursor: null,
    });
    const before = { ...range, state: 'any', until: new Date(0), cursor: undefined } as const;
    expect(await database.deliveries.replayRange(id, before)).toEqual({ replayed: 0, nextCursor: null });
    expect((await database.deliveries.ofEndpoint(id, { limit: 100, state: 'pending' })).data).toHaveLength(5);
    expect((await database.deliveries.ofEndpoint(id, { limit: 100, state: 'delivered' })).data).toEqual([]);
  });

  it('of a test says so', async () => {
    const { id } = await anEndpoint(['decision.approved']);
    const result = await database.notices.test(id);
    if (result.kind !== 'sent') throw new Error(result.kind);
    const [work] = await claim();
    expect(noticeEnvelope('test.ping').parse(JSON.parse(work!.body)).data).toEqual({ endpointId: id });
    expect(work).toMatchObject({ id: result.deliveryId, requestId: null, kind: 'webhook', secrets: ['whsec_first'] });
    expect(await database.deliveries.find(id, result.deliveryId)).toMatchObject({
      type: 'test.ping',
      authorizationRequestId: null,
      webhookId: work!.webhookId,
    });
    await database.webhookEndpoints.update(id, null, { ...(await endpoint(id)), enabled: false });
    expect(await database.notices.test(id)).toEqual({ kind: 'disabled' });
    expect(await database.notices.test(uuid())).toEqual({ kind: 'not-found' });
  });
});

describe('what waits for an endpoint that is disabled', () => {
  const retention = {
    ...{ personalDays: 90, requestsDays: 365, timelinesDays: 365, deliveriesDays: 30, eventsDays: 30, inboxDays: 7 },
  };

  it('ends when its time is over, so that nobody is named for ever', async () => {
    const disabled = await anEndpoint(['decision.cancelled']);
    const requestId = await decided();
    await database.webhookEndpoints.update(disabled.id, null, { ...disabled, enabled: false });
    await outside.query(`update authorization_requests set ended_at = ended_at - interval '91 days'`);
    const erasedAt = async () =>
      (
        await outside.query<{ erased_at: Date | null }>('select erased_at from authorization_requests where id = $1', [
          requestId,
        ])
      ).rows[0]!.erased_at;

    await database.housekeep({ retention });
    expect(await erasedAt()).toBeNull();
    await outside.query(`update deliveries set created_at = created_at - interval '31 days'`);
    await database.housekeep({ retention });
    expect(await erasedAt()).not.toBeNull();
    expect(await database.deliveries.ofRequest(requestId)).toEqual([]);
  });

  it('waits as long as nothing says otherwise; notices go with their deliveries', async () => {
    const { id } = await anEndpoint();
    await database.notices.test(id);
    await outside.query(`update webhook_notices set occurred_at = occurred_at - interval '31 days'`);
    await database.housekeep({ retention });
    expect(await claim()).toHaveLength(1);
    await outside.query('delete from deliveries');
    await database.housekeep({ retention });
    expect((await outside.query('select from webhook_notices')).rowCount).toBe(0);
  });
});
