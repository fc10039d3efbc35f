import { createPublicKey, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Decision } from '#lib/contracts';
import { createOutboundGuard, silentLog } from '#lib/runtime';
import { Webhook } from 'standardwebhooks';
import { DecisionHouse, publicUrl, type TestRule } from '../../../../test/support/decision-house.js';
import { startWebhookSink, type ReceivedDelivery, type WebhookSink } from '../../../../test/support/webhook-sink.js';
import { RecordDecision } from '../record-decision.js';
import { DeliverDecisions } from './deliver-decisions.js';
import { CallbackSender } from './send.js';
import { signatureHeaders } from './sign.js';

const callbackSecret = `whsec_${Buffer.from('a callback secret of 32 bytes!!!').toString('base64')}`;

let house: DecisionHouse;
let sink: WebhookSink;
let rule: TestRule;
beforeEach(async () => {
  [house, sink] = await Promise.all([DecisionHouse.open(), startWebhookSink()]);
  rule = await house.addRule();
}, 120_000);
afterEach(async () => {
  await house?.close();
  await sink?.stop();
}, 120_000);

const deliveryOf = async (decision: Decision) =>
  (await house.database.deliveries.ofRequest(decision.authorizationRequestId))[0]!;

/** Makes everything due that waits for its time or its lease, and says so to the service. */
async function makeDue(): Promise<void> {
  await house.query("update deliveries set next_attempt_at = now() where state = 'pending'");
  await house.query("update deliveries set lease_until = now() where state = 'pending' and lease_until is not null");
}

describe('a decision', () => {
  let deliver: DeliverDecisions;
  beforeEach(async () => {
    deliver = (await house.startService()).app.get(DeliverDecisions);
  });

  it('reaches callback and endpoint with the same bytes under the same id, each signed its own way', async () => {
    const endpoint = await house.addEndpoint(`${sink.url}/endpoint`);
    const apiClientId = await house.addApiClient(callbackSecret);
    const decision = await house.decide(rule, 'approve', { apiClientId, callbackUrl: `${sink.url}/callback` });
    const [callback, webhook] = await Promise.all([sink.next('/callback'), sink.next('/endpoint')]);

    expect(JSON.parse(callback.body)).toEqual({
      type: 'decision.approved',
      timestamp: decision.decidedAt,
      data: decision,
    });
    expect(webhook.body).toBe(callback.body);
    expect([callback.headers['webhook-id'], webhook.headers['webhook-id']]).toEqual([decision.id, decision.id]);
    expect(() => new Webhook(endpoint.secret).verify(webhook.body, webhook.headers)).not.toThrow();
    expect(() => new Webhook(callbackSecret).verify(callback.body, callback.headers)).not.toThrow();
    expect(() => new Webhook(callbackSecret).verify(webhook.body, webhook.headers)).toThrow();
    expect(await isSignedByUs(callback)).toBe(true);
    expect(await isSignedByUs(webhook)).toBe(true);
  });

  it('is signed with the secret before the rotation as well, as long as they overlap', async () => {
    const { id, secret: old } = await house.addEndpoint(`${sink.url}/endpoint`);
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    await house.database.webhookEndpoints.rotateSecret(id, secret, 600);
    const result = await house.database.notices.test(id);
    expect(result.kind).toBe('sent');
    deliver.wake();
    const ping = await sink.next('/endpoint');
    expect(JSON.parse(ping.body)).toMatchObject({ type: 'test.ping', data: { endpointId: id } });
    for (const one of [old, secret]) {
      expect(() => new Webhook(one).verify(ping.body, ping.headers)).not.toThrow();
      expect(() => new Webhook(one).verify(`${ping.body} `, ping.headers)).toThrow();
    }
    expect(await isSignedByUs(ping)).toBe(true);

    await house.query(`update webhook_endpoints set previous_secret_until = now() - interval '1 second'`);
    await house.decide(rule, 'deny');
    const later = await sink.next('/endpoint');
    expect(() => new Webhook(secret).verify(later.body, later.headers)).not.toThrow();
    expect(() => new Webhook(old).verify(later.body, later.headers)).toThrow();
  });

  it('is signed with our key only when the caller has no secret', async () => {
    await house.decide(rule, 'deny', { callbackUrl: `${sink.url}/callback` });
    const callback = await sink.next('/callback');

    expect(callback.headers['webhook-signature']).toMatch(/^v1a,\S+$/);
    expect(await isSignedByUs(callback)).toBe(true);
  });

  it('is delivered again after a failure: same id, same bytes, a signature of its own time', async () => {
    sink.answer('/callback', { status: 500 });
    const requestId = await house.submit(rule, { callbackUrl: `${sink.url}/callback` });
    const [decided, first] = [house.decided(requestId), house.settled(requestId)];
    await house.end(requestId, 'deny');
    const decision = await decided;
    expect(await first).toMatchObject({ status: 500, problem: 'answered 500', outcome: { retryInSeconds: 5 } });
    const waiting = await deliveryOf(decision);
    expect(waiting.state).toBe('pending');
    expect(Date.parse(waiting.nextAttemptAt!)).toBeGreaterThan(Date.parse(waiting.attempts[0]!.at));

    const second = house.settled(requestId);
    await makeDue();
    deliver.wake();
    expect(await second).toMatchObject({ status: 204, outcome: 'delivered' });

    const [before, after] = [await sink.next('/callback'), await sink.next('/callback')];
    expect(after.body).toBe(before.body);
    expect(after.headers['webhook-id']).toBe(before.headers['webhook-id']);
    expect(await isSignedByUs(after)).toBe(true);
    const done = await deliveryOf(decision);
    expect([done.state, done.nextAttemptAt]).toEqual(['delivered', null]);
    expect(done.attempts.map(({ status }) => status)).toEqual([500, 204]);
  });

  it.each([
    ['a cut connection', 'cut', null],
    ['a redirect, which is not followed', { status: 302, headers: { location: '/elsewhere' } }, 302],
    ['a permanent redirect, which is not followed', { status: 308, headers: { location: '/elsewhere' } }, 308],
    ['a refusal', { status: 404 }, 404],
  ] as const)('is tried again after %s', async (_, answer, status) => {
    sink.answer('/callback', answer);
    const requestId = await house.submit(rule, { callbackUrl: `${sink.url}/callback` });
    const settled = house.settled(requestId);
    await house.end(requestId, 'deny');

    expect(await settled).toMatchObject({ status, outcome: { retryInSeconds: 5 } });
    expect(sink.unread('/elsewhere')).toBe(0);
  });

  it('waits as long as a busy receiver asks', async () => {
    sink.answer('/callback', { status: 503, headers: { 'retry-after': '120' } });
    const requestId = await house.submit(rule, { callbackUrl: `${sink.url}/callback` });
    const [decided, settled] = [house.decided(requestId), house.settled(requestId)];
    await house.end(requestId, 'deny');

    expect((await settled).outcome).toEqual({ retryInSeconds: 120 });
    const { attempts, nextAttemptAt } = await deliveryOf(await decided);
    expect(Date.parse(nextAttemptAt!) - Date.parse(attempts[0]!.at)).toBeGreaterThanOrEqual(119_000);
  });

  it('is not sent again to a receiver that is gone', async () => {
    sink.answer('/endpoint', { status: 410 });
    const { id } = await house.addEndpoint(`${sink.url}/endpoint`);
    const requestId = await house.submit(rule);
    const [decided, settled] = [house.decided(requestId), house.settled(requestId)];
    await house.end(requestId, 'deny');

    expect((await settled).outcome).toBe('gone');
    expect(await house.database.webhookEndpoints.find(id)).toMatchObject({ enabled: false, disabledReason: 'gone' });
    const delivery = await deliveryOf(await decided);
    expect([delivery.state, delivery.nextAttemptAt, delivery.attempts.length]).toEqual(['exhausted', null, 1]);
  });

  it('is given up, visibly, when the schedule has run out', async () => {
    sink.answer('/callback', { status: 500 }, { status: 500 });
    const requestId = await house.submit(rule, { callbackUrl: `${sink.url}/callback` });
    const [decided, first] = [house.decided(requestId), house.settled(requestId)];
    await house.end(requestId, 'deny');
    await first;
    await house.query('update deliveries set failed_attempts = 9');
    const last = house.settled(requestId);
    await makeDue();
    deliver.wake();

    expect((await last).outcome).toBe('exhausted');
    expect(await deliveryOf(await decided)).toMatchObject({ state: 'exhausted', nextAttemptAt: null });
  });

  it('is never sent for an endpoint that was deleted in between', async () => {
    const { id } = await house.addEndpoint(`${sink.url}/endpoint`);
    await house.stopService();
    const requestId = await house.submit(rule);
    await house.end(requestId, 'deny');
    const record = new RecordDecision({ database: house.database, issuer: publicUrl, onRecorded: () => undefined });
    await record.run(requestId, null);
    // Without the store, which would end the delivery: as if it had been deleted while the decision was written.
    await house.query('delete from webhook_endpoints where id = $1', [id]);
    const settled = house.settled(requestId);
    await house.startService();

    expect(await settled).toMatchObject({ status: null, problem: 'the endpoint was deleted', outcome: 'gone' });
    expect(sink.received).toEqual([]);
  });

  it('that is on its way when the service stops is finished', async () => {
    sink.answer('/callback', { status: 204, held: true });
    const requestId = await house.submit(rule, { callbackUrl: `${sink.url}/callback` });
    const decided = house.decided(requestId);
    await house.end(requestId, 'deny');
    await sink.next('/callback');
    const stopped = house.stopService();
    sink.release('/callback');
    await stopped;

    expect(await deliveryOf(await decided)).toMatchObject({ state: 'delivered' });
  });
});

describe('a decision whose sender dies between sending and commit', () => {
  it('is sent again by the next, under the same id', async () => {
    const requestId = await house.submit(rule, { callbackUrl: `${sink.url}/callback` });
    await house.end(requestId, 'approve');
    const record = new RecordDecision({ database: house.database, issuer: publicUrl, onRecorded: () => undefined });
    expect(await record.run(requestId, null)).toBe('recorded');
    await sendAndDie();
    const lost = await sink.next('/callback');
    // While the lease lasts nobody else has it.
    expect(await house.database.deliveries.claim({ limit: 10, leaseSeconds: 60 })).toEqual([]);

    await makeDue();
    const settled = house.settled(requestId);
    await house.startService();
    const again = await sink.next('/callback');
    expect((await settled).outcome).toBe('delivered');

    expect(again.headers['webhook-id']).toBe(lost.headers['webhook-id']);
    expect(again.body).toBe(lost.body);
  });

  it('is sent by the next, when it dies after the commit that gave it the callback', async () => {
    const requestId = await house.submit(rule, { callbackUrl: `${sink.url}/callback` });
    await house.end(requestId, 'approve');
    const record = new RecordDecision({
      database: house.database,
      issuer: publicUrl,
      hold: () => ({ run: () => undefined, free: () => undefined }),
      onRecorded: () => undefined,
    });
    expect(await record.run(requestId, null)).toBe('recorded');
    expect(await house.database.deliveries.claim({ limit: 10, leaseSeconds: 60 })).toEqual([]);

    await makeDue();
    const settled = house.settled(requestId);
    await house.startService();
    expect((await settled).outcome).toBe('delivered');
    expect(JSON.parse((await sink.next('/callback')).body)).toMatchObject({ data: { outcome: 'approved' } });
  });

  /** All that a sender does, but for writing down that it did. */
  async function sendAndDie(): Promise<void> {
    const [work] = await house.database.deliveries.claim({ limit: 1, leaseSeconds: 60 });
    const key = await house.database.signingKeys.current('callback');
    const sender = new CallbackSender({ guard: createOutboundGuard({ allowLoopback: true, allowedNetworks: [] }) });
    const headers = signatureHeaders({ ...work!, sentAt: new Date() }, work!.secrets, key);
    expect(await sender.send(work!.url, headers, work!.body)).toMatchObject({ status: 204 });
    await sender.close();
  }
});

describe('receivers that hang', () => {
  let deliver: DeliverDecisions;
  beforeEach(() => {
    const guard = createOutboundGuard({ allowLoopback: true, allowedNetworks: [] });
    // The deadline is too far away to free a place.
    const sender = new CallbackSender({ guard, deadlineMs: 600_000 });
    deliver = new DeliverDecisions({ database: house.database, sender, log: silentLog });
  });
  const decide = async (count: number): Promise<void> => {
    const { database } = house;
    const record = new RecordDecision({ database, issuer: publicUrl, onRecorded: () => deliver.wake() });
    for (let i = 0; i < count; i += 1) {
      const requestId = await house.submit(rule);
      await house.end(requestId, 'deny');
      await record.run(requestId, null);
    }
  };

  it('are passed: the others get all of theirs, and one that hangs keeps four', async () => {
    // More than the service has in flight altogether: a receiver that could take every place would stop the others.
    const many = 120;
    sink.answer('/hung', ...Array.from({ length: many }, () => ({ status: 204, held: true })));
    await house.addEndpoint(`${sink.url}/hung`);
    await decide(many);
    deliver.onApplicationBootstrap();
    for (let i = 0; i < 4; i += 1) await sink.next('/hung');

    await house.addEndpoint(`${sink.url}/well`);
    await decide(20);
    for (let i = 0; i < 20; i += 1) await sink.next('/well');
    expect(sink.unread('/hung')).toBe(0);

    // It gets all of its own in the end.
    for (let i = 4; i < many + 20; i += 1) {
      sink.release('/hung');
      await sink.next('/hung');
    }
    sink.release('/hung');
    await deliver.onApplicationShutdown();
  }, 180_000);

  it('starve nobody as a crowd: whoever answers gets all of theirs, although none of the crowd has ended', async () => {
    // Each holds four of a hundred places: together all of them.
    const crowd = Array.from({ length: 30 }, (_, index) => `/hung-${index}`);
    for (const path of crowd) {
      sink.answer(path, ...Array.from({ length: 8 }, () => 'hang' as const));
      await house.addEndpoint(`${sink.url}${path}`);
    }
    await decide(4);
    deliver.onApplicationBootstrap();
    for (let i = 0; i < 100; i += 1) await sink.next();

    await house.addEndpoint(`${sink.url}/well`);
    await decide(20);
    for (let i = 0; i < 20; i += 1) await sink.next('/well');
    // No more was begun where something hangs.
    const begun = (path: string): number => sink.received.filter((delivery) => delivery.path === path).length;
    expect(Math.max(...crowd.map(begun))).toBe(4);
    await sink.stop();
    await deliver.onApplicationShutdown();
  }, 180_000);
});

describe('an address that the guard refuses', () => {
  it('is a failure with a clear problem, tried again by the schedule', async () => {
    await house.startService({ allowLoopback: false });
    const requestId = await house.submit(rule, { callbackUrl: `${sink.url}/callback` });
    const settled = house.settled(requestId);
    await house.end(requestId, 'deny');

    const { status, problem, outcome } = await settled;
    expect([status, outcome]).toEqual([null, { retryInSeconds: 5 }]);
    expect(problem).toMatch(/^the address is refused: /);
    expect(sink.received).toEqual([]);
  });
});

async function isSignedByUs({ body, headers }: ReceivedDelivery): Promise<boolean> {
  const { keys } = await house.database.signingKeys.publicJwks();
  const key = keys.find(({ kid }) => kid === headers['webhook-key-id']);
  const signature = /(?:^| )v1a,(\S+)/.exec(headers['webhook-signature'] ?? '')?.[1];
  if (!key || !signature) return false;
  const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  return verify(null, signed, createPublicKey({ key, format: 'jwk' }), Buffer.from(signature, 'base64'));
}
