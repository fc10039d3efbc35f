import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decision as decisionSchema, type AuthorizationFact, type CloudEvent } from '#lib/contracts';
import { defaultRejectionHandlers } from '#lib/domain';
import { EventContext, GiveUp } from '#lib/messaging';
import type { RunningService } from '#lib/runtime';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { v7 as newId } from 'uuid';
import { DecisionHouse, publicUrl, type TestRule } from '../../../test/support/decision-house.js';
import { AuthorizationEndedController } from './authorization-ended.controller.js';
import { RecordDecision } from './record-decision.js';
import { SweepUndecided } from './sweep-undecided.js';

const decisionsOf = (house: DecisionHouse, requestId: string) =>
  house.query<{ id: string }>('select id from decisions where request_id = $1', [requestId]);
const eventsOf = (house: DecisionHouse, requestId: string) =>
  house.query<{ routing_key: string }>(
    "select routing_key from outbox where routing_key like 'decision.%' and event ->> 'subject' = $1",
    [requestId],
  );

describe('a request that ends, with events carried', () => {
  let house: DecisionHouse;
  let rule: TestRule;
  beforeAll(async () => {
    house = await DecisionHouse.open();
    await house.startService();
    rule = await house.addRule({
      denyRejectionHandlerId: await house.addHandler('No', {
        type: 'error-template',
        status: 451,
        contentType: 'application/json',
        template: '{"no":"{{bindingMessage}}"}',
      }),
      timeoutRejectionHandlerId: await house.addHandler('Late', { type: 'redirect', status: 303, url: '/late' }),
      errorRejectionHandlerId: await house.addHandler('Oops', {
        type: 'error-template',
        status: 502,
        contentType: 'text/html',
        template: '<p>{{reason}} {{bindingMessage}}</p>',
      }),
    });
  });
  afterAll(() => house.close());

  it('approved: has evidence and a receipt that anyone can verify with the published keys', async () => {
    const decision = await house.decide(rule, 'approve');
    const keys = await house.database.signingKeys.publicJwks();
    const { payload } = await jwtVerify(decision.receipt!, createLocalJWKSet(keys), {
      typ: 'assent-receipt+jwt',
      algorithms: ['ES256'],
      issuer: publicUrl,
    });

    expect(decision).toMatchObject({ outcome: 'approved', rejection: null, metadata: { order: '4711' } });
    expect(decision.evidence).toMatchObject({ subject: 'alice', issuer: 'https://op.example', acr: 'gold' });
    expect(payload).toEqual({
      iss: publicUrl,
      iat: expect.any(Number),
      jti: decision.id,
      authorization_request_id: decision.authorizationRequestId,
      request_hash: `hash of ${decision.authorizationRequestId}`,
      outcome: 'approved',
      sub: 'alice',
      acr: 'gold',
      amr: ['hwk'],
    });
  });

  it.each([
    ['deny', 'denied', null, 'No', { status: 451, body: String.raw`{"no":"\u003cb\u003ePay"}` }],
    ['expire', 'expired', null, 'Late', { status: 303, headers: { location: '/late' } }],
    ['fail', 'failed', 'unknown_user', 'Oops', { status: 502, body: '<p>unknown_user &lt;b&gt;Pay</p>' }],
  ] as const)("%s: is answered by the rule's own handler", async (ending, outcome, reason, name, response) => {
    const decision = await house.decide(rule, ending, { bindingMessage: '<b>Pay' });

    expect(decision).toMatchObject({ outcome, reason, evidence: null, receipt: null });
    expect(decision.rejection).toMatchObject({ handler: { name }, response });
  });

  it('cancelled: rejects nothing', async () => {
    expect(await house.decide(rule, 'cancel')).toMatchObject({ outcome: 'cancelled', rejection: null, receipt: null });
  });

  it('is decided when it ended, and shows the same document everywhere', async () => {
    const decision = await house.decide(rule, 'deny');
    const view = await house.database.requests.view(decision.authorizationRequestId, null);
    const [row] = await house.query<{ ended_at: Date }>('select ended_at from authorization_requests where id = $1', [
      decision.authorizationRequestId,
    ]);

    expect(decisionSchema.parse(decision)).toEqual(decision);
    expect(view?.decision).toEqual(decision);
    expect(decision.decidedAt).toBe(row!.ended_at.toISOString());
  });

  it('is answered by the Default API handler when the handler of its rule version is gone', async () => {
    const handlerId = await house.addHandler('Soon gone', { type: 'redirect', status: 302, url: '/gone' });
    const old = await house.addRule({ denyRejectionHandlerId: handlerId });
    const requestId = await house.submit(old);
    const decided = house.decided(requestId);
    const definition = { ...old.definition, denyRejectionHandlerId: null };
    await house.database.rules.update(old.id, null, { definition, clientSecret: null });
    // The store refuses while the request runs; a restored backup, say, does not ask the store.
    expect(await house.database.rejectionHandlers.delete(handlerId, null)).toMatchObject({ kind: 'in-use' });
    await house.query('delete from rejection_handlers where id = $1', [handlerId]);
    await house.end(requestId, 'deny');

    expect((await decided).rejection?.handler.id).toBe(defaultRejectionHandlers.api);
  });
});

describe('exactly one decision', () => {
  let house: DecisionHouse;
  let rule: TestRule;
  beforeAll(async () => {
    house = await DecisionHouse.open({ events: 'lost' });
    rule = await house.addRule();
  });
  afterAll(() => house.close());

  it('is recorded, however many try at once', async () => {
    const requestId = await house.submit(rule, { callbackUrl: 'https://shop.example/back' });
    await house.end(requestId, 'approve');
    let woken = 0;
    const record = new RecordDecision({ database: house.database, issuer: publicUrl, onRecorded: () => (woken += 1) });
    const results = await Promise.all(Array.from({ length: 10 }, () => record.run(requestId, null)));

    expect(results.filter((result) => result === 'recorded')).toHaveLength(1);
    expect(results.filter((result) => result === 'already-recorded')).toHaveLength(9);
    expect(woken).toBe(1);
    expect(await decisionsOf(house, requestId)).toHaveLength(1);
    expect(await eventsOf(house, requestId)).toEqual([{ routing_key: 'decision.approved' }]);
  });

  it('wakes nobody when there is nobody to tell', async () => {
    const requestId = await house.submit(rule);
    await house.end(requestId, 'deny');
    let woken = 0;
    const record = new RecordDecision({ database: house.database, issuer: publicUrl, onRecorded: () => (woken += 1) });

    expect(await record.run(requestId, null)).toBe('recorded');
    expect(woken).toBe(0);
  });

  it('is sent from the place that was held for it, and by nobody else; a place that is not needed is free again', async () => {
    const callbackUrl = 'https://held.example/back';
    const requestId = await house.submit(rule, { callbackUrl });
    await house.end(requestId, 'deny');
    const told: string[] = [];
    const record = new RecordDecision({
      database: house.database,
      issuer: publicUrl,
      hold: (url) => {
        told.push(`held for ${url}`);
        return { run: (work) => told.push(`sends to ${work.url}`), free: () => told.push('free') };
      },
      onRecorded: () => told.push('woken'),
    });
    const results = await Promise.all([record.run(requestId, null), record.run(requestId, null)]);

    expect(results.sort()).toEqual(['already-recorded', 'recorded']);
    expect(told.sort()).toEqual([
      'free',
      `held for ${callbackUrl}`,
      `held for ${callbackUrl}`,
      `sends to ${callbackUrl}`,
    ]);
    expect(
      (await house.database.deliveries.claim({ limit: 100, leaseSeconds: 60 })).map(({ url }) => url),
    ).not.toContain(callbackUrl);
  });

  it('frees the place when it could not be recorded', async () => {
    const requestId = await house.submit(rule, { callbackUrl: 'https://shop.example/back' });
    await house.end(requestId, 'deny');
    let [held, freed] = [0, 0];
    const fails = () => Promise.reject(new Error('the database is away'));
    const record = new RecordDecision({
      database: {
        signingKeys: house.database.signingKeys,
        decisions: {
          context: (id) => house.database.decisions.context(id),
          record: fails,
          recordAndLease: fails,
        },
      },
      issuer: publicUrl,
      hold: () => ((held += 1), { run: () => undefined, free: () => (freed += 1) }),
      onRecorded: () => undefined,
    });

    await expect(record.run(requestId, null)).rejects.toThrow('the database is away');
    expect([held, freed]).toEqual([1, 1]);
  });

  it('is not recorded before the request has ended, nor for one that does not exist', async () => {
    const requestId = await house.submit(rule);
    const record = new RecordDecision({ database: house.database, issuer: publicUrl, onRecorded: () => undefined });

    expect(await record.run(requestId, null)).toBe('not-ended');
    expect(await record.run(newId(), null)).toBe('unknown-request');
    expect(await decisionsOf(house, requestId)).toEqual([]);
  });
});

describe('events', () => {
  let house: DecisionHouse;
  let rule: TestRule;
  let service: RunningService;
  let controller: AuthorizationEndedController;
  beforeAll(async () => {
    house = await DecisionHouse.open({ events: 'lost' });
    rule = await house.addRule();
    service = await house.startService();
    controller = service.app.get(AuthorizationEndedController);
  });
  afterAll(() => house.close());

  const contextOf = (id: string, data: unknown): EventContext => {
    const event: CloudEvent = {
      specversion: '1.0',
      id,
      source: '/assent/test',
      type: 'assent.authorization.denied.v1',
      subject: id,
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      data,
    };
    return new EventContext([{ event, attempt: 1, redelivered: false }]);
  };
  const denied = (requestId: string): AuthorizationFact => ({
    authorizationRequestId: requestId,
    status: 'denied',
    reason: null,
    stateVersion: 3,
  });

  it('that come again, and others that tell the same, change nothing', async () => {
    const requestId = await house.submit(rule);
    await house.end(requestId, 'deny');
    for (const eventId of ['event-1', 'event-1', 'event-2']) {
      await controller.handleDenied(denied(requestId), contextOf(eventId, denied(requestId)));
    }

    expect(await decisionsOf(house, requestId)).toHaveLength(1);
    expect(await eventsOf(house, requestId)).toHaveLength(1);
  });

  it('that tell another end than the row shows are hints, and the row is the truth', async () => {
    const requestId = await house.submit(rule);
    await house.end(requestId, 'fail');
    const decided = house.decided(requestId);
    await controller.handleApproved(denied(requestId), contextOf('event-3', denied(requestId)));

    expect((await decided).outcome).toBe('failed');
  });

  it.each([
    ['about no request of ours', () => denied(newId())],
    ['without a request', () => ({ status: 'denied' })],
    ['that are no facts', () => 'nonsense'],
  ])('%s are given up on', async (_, data) => {
    await expect(controller.handleDenied(data(), contextOf('event-4', data()))).rejects.toThrow(GiveUp);
  });

  it('about no request of ours go to the dead queue at the first attempt', async () => {
    const fact = denied(newId());
    const { event } = contextOf('event-5', fact);
    await house.bus.publish({ exchange: 'assent.authorizations', routingKey: 'authorization.denied', event });
    const letters = () => house.bus.deadLetters.list(['decision-service.authorization.denied'], 100);
    while ((await letters()).length === 0) await new Promise((resolve) => setImmediate(resolve));

    expect(await letters()).toMatchObject([{ id: 'event-5', attempts: 1, reason: expect.stringMatching(/^GiveUp: /) }]);
  });

  it('that are lost are made up for by the sweep', async () => {
    const requestId = await house.submit(rule);
    const decided = house.decided(requestId);
    await house.end(requestId, 'deny');
    await house.query("update authorization_requests set ended_at = ended_at - interval '1 minute' where id = $1", [
      requestId,
    ]);
    await service.app.get(SweepUndecided).tick();

    expect((await decided).outcome).toBe('denied');
    expect(await decisionsOf(house, requestId)).toHaveLength(1);
  });
});
