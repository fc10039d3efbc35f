import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cloudEvent, webhookEnvelope, webhookEventTypes, type Decision } from '#lib/contracts';
import { defaultRejectionHandlers } from '#lib/domain';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import {
  approve,
  aRule,
  clientDefaults,
  type DatabaseFixture,
  openFixture,
  pending,
  type PendingOptions,
  submitted,
} from '../../../../test/support/postgres-builders.js';
import type { Database, StoredEvent } from '../index.js';

describe('decisions and their deliveries', () => {
  let fixture: DatabaseFixture;
  let database: Database;
  let outside: Client;
  beforeEach(async () => {
    fixture = await openFixture();
    ({ database } = fixture);
    outside = new Client({ connectionString: fixture.url });
    await outside.connect();
  });
  afterEach(async () => {
    await outside.end();
    await fixture.close();
  });

  const aDecision = (requestId: string, outcome: Decision['outcome']): Decision => ({
    id: uuid(),
    authorizationRequestId: requestId,
    outcome,
    reason: null,
    providerError: null,
    rule: { id: fixture.rule.id, name: fixture.rule.definition.name, version: 1 },
    decidedAt: '2026-11-22T10:00:00.120Z',
    rejection: null,
    evidence: null,
    receipt: null,
    requestHash: 'hash',
    metadata: { zebra: 'ü </script> "quoted"', apple: '1' },
  });
  const decided = async (request: PendingOptions['request'] = {}): Promise<Decision> => {
    const id = await submitted(database, fixture.rule, request);
    await database.requests.change(id, { type: 'cancel', by: 'client' });
    const decision = aDecision(id, 'cancelled');
    expect(await database.decisions.record({ decision, cause: null })).toBe('recorded');
    return decision;
  };
  const anEndpoint = async (
    url: string,
    over: { enabled?: boolean; events?: (typeof webhookEventTypes)[number][] } = {},
  ) => {
    const created = await database.webhookEndpoints.create({
      url,
      events: [...webhookEventTypes],
      description: null,
      enabled: true,
      secret: 'whsec_endpoint',
      ...over,
    });
    if (created.kind !== 'created') throw new Error(created.kind);
    return created.row;
  };
  const claim = (limit = 100) => database.deliveries.claim({ limit, leaseSeconds: 60 });

  it('records a decision with all that follows from it in one commit', async () => {
    const told: StoredEvent[] = [];
    database.onEvents((events) => told.push(...events));
    await anEndpoint('https://all.example');
    await anEndpoint('https://off.example', { enabled: false });
    await anEndpoint('https://denials.example', { events: ['decision.denied'] });

    const decision = await decided({ callbackUrl: 'https://User.Example:8443/back?x=1' });

    const view = (await database.requests.view(decision.authorizationRequestId, null))!;
    expect(view).toMatchObject({ decision, stateVersion: 3 });
    expect(JSON.stringify(view.decision)).toBe(JSON.stringify(decision));
    expect(await database.requests.states([view.id])).toEqual([
      { id: view.id, status: 'cancelled', stateVersion: 3, decided: true },
    ]);
    const event = told.at(-1)!;
    expect(event.outgoing).toMatchObject({ exchange: 'assent.decisions', routingKey: 'decision.cancelled' });
    expect(cloudEvent.parse(event.outgoing.event)).toMatchObject({
      id: event.id,
      type: 'assent.decision.cancelled.v1',
      subject: view.id,
      data: decision,
    });
    const work = (await claim()).sort((a, b) => a.kind.localeCompare(b.kind));
    expect(work.map(({ kind, url, target, secrets }) => ({ kind, url, target, secrets }))).toEqual([
      { kind: 'callback', url: 'https://User.Example:8443/back?x=1', target: 'user.example:8443', secrets: [] },
      {
        kind: 'webhook',
        url: 'https://all.example',
        target: expect.any(String) as unknown,
        secrets: ['whsec_endpoint'],
      },
    ]);
    expect((await database.requests.timeline(view.id, null))!.at(-1)).toMatchObject({ type: 'decided' });
  });

  const ended = async (request: PendingOptions['request']): Promise<string> => {
    const id = await submitted(database, fixture.rule, request);
    await database.requests.change(id, { type: 'cancel', by: 'client' });
    return id;
  };
  const leased = async (request: PendingOptions['request'], callbackLeaseSeconds: number | null = 60) => {
    const decision = aDecision(await ended(request), 'cancelled');
    return database.decisions.recordAndLease({ decision, cause: null, callbackLeaseSeconds });
  };
  const aShop = async (name: string, callbackSecret: string): Promise<string> => {
    const client = await database.apiClients.create({
      name,
      scopes: ['requests:write'],
      ...clientDefaults,
      keyHash: Buffer.from(name.padEnd(32)),
      keyPrefix: 'p',
      callbackSecret,
    });
    if (client.kind !== 'created') throw new Error(client.kind);
    return client.row.id;
  };

  it('leases the callback to whoever records the decision, as a claim would hand it out', async () => {
    const apiClientId = await aShop('leasing', 'whsec_callback');
    const { kind, callback, unclaimed } = await leased({ callbackUrl: 'https://Shop.Example/back', apiClientId });
    expect([kind, unclaimed]).toEqual(['recorded', false]);
    expect(callback).toMatchObject({ target: 'shop.example', secrets: ['whsec_callback'] });
    expect(await claim()).toEqual([]);

    // Its holder has died.
    await outside.query('update deliveries set lease_until = clock_timestamp()');
    expect(await claim()).toEqual([callback]);
  });

  it('says what has to be claimed: endpoints always, the callback unless it is leased', async () => {
    const callbackUrl = 'https://shop.example/back';
    expect(await leased({})).toEqual({ kind: 'recorded', callback: null, unclaimed: false });
    expect(await leased({ callbackUrl }, null)).toEqual({ kind: 'recorded', callback: null, unclaimed: true });
    expect(await claim()).toHaveLength(1);
    await anEndpoint('https://all.example');
    expect(await leased({ callbackUrl })).toMatchObject({ callback: { url: callbackUrl }, unclaimed: true });
    expect((await claim()).map(({ url }) => url)).toEqual(['https://all.example']);
    expect(await leased({})).toEqual({ kind: 'recorded', callback: null, unclaimed: true });
  });

  it('leases a callback once, however many record the decision', async () => {
    const other = await fixture.reopen();
    const id = await ended({ callbackUrl: 'https://shop.example/back' });
    const results = await Promise.all(
      [database, other, database, other].map(({ decisions }) =>
        decisions.recordAndLease({ decision: aDecision(id, 'cancelled'), cause: null, callbackLeaseSeconds: 60 }),
      ),
    );
    expect(results.filter(({ callback }) => callback !== null)).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'already-recorded')).toHaveLength(3);
  });

  it('puts a callback off at once whose secret does not open', async () => {
    const apiClientId = await aShop('sealed', 'whsec_callback');
    await outside.query(`update api_clients set callback_secret = 'changed' where id = $1`, [apiClientId]);
    const request = { callbackUrl: 'https://shop.example/back', apiClientId };
    expect(await leased(request)).toEqual({ kind: 'recorded', callback: null, unclaimed: false });
    const { rows } = await outside.query<{ due: boolean; lease_until: Date | null; problem: string }>(
      `select next_attempt_at > clock_timestamp() as due, lease_until, problem
       from deliveries d join delivery_attempts a on a.delivery_id = d.id`,
    );
    expect(rows).toEqual([{ due: true, lease_until: null, problem: expect.stringContaining('secret') }]);
  });

  it('sends the same bytes every time: the decision word by word', async () => {
    await anEndpoint('https://all.example');
    const decision = await decided();
    const body = `{"type":"decision.cancelled","timestamp":"2026-11-22T10:00:00.120Z","data":${JSON.stringify(decision)}}`;
    const [first] = await claim();
    expect(first!.body).toBe(body);
    expect(first!.webhookId).toBe(decision.id);
    expect(webhookEnvelope.parse(JSON.parse(first!.body)).data).toEqual(decision);
    await database.deliveries.finish([
      { id: first!.id, at: new Date(), durationMs: 12.4, status: 500, problem: null, outcome: { retryInSeconds: 0 } },
    ]);
    const [second] = await claim();
    expect(second).toEqual({ ...first, failedAttempts: 1 });
  });

  it('records one decision per request, whoever comes first, over two processes', async () => {
    const other = await fixture.reopen();
    const id = await pending(database, fixture.rule);
    await database.requests.change(id, approve());
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? database : other).decisions.record({
          decision: aDecision(id, 'approved'),
          cause: { consumer: 'decision-service', eventId: randomUUID() },
        }),
      ),
    );
    expect(results.filter((result) => result === 'recorded')).toHaveLength(1);
    expect(results.filter((result) => result === 'already-recorded')).toHaveLength(19);
    const count = async (table: string) =>
      (await outside.query<{ n: number }>(`select count(*)::integer as n from ${table}`)).rows[0]!.n;
    expect(await count('decisions')).toBe(1);
    expect(await count('inbox')).toBe(1);
  });

  it('records no decision that the request does not bear out', async () => {
    const id = await pending(database, fixture.rule);
    await expect(database.decisions.record({ decision: aDecision(id, 'approved'), cause: null })).rejects.toThrow(
      'has not ended as approved',
    );
    await database.requests.change(id, { type: 'deny', providerError: null, polls: 1 });
    await expect(database.decisions.record({ decision: aDecision(id, 'approved'), cause: null })).rejects.toThrow();
    expect(await database.decisions.record({ decision: aDecision(id, 'denied'), cause: null })).toBe('recorded');
  });

  it('carries notes that no text column could hold', async () => {
    await anEndpoint('https://all.example');
    const metadata = { nul: 'a\u0000b', half: '\ud800', '\u0000': 'name' };
    const rule = await aRule(database, {
      tokenProviderId: fixture.provider.id,
      bindingMessage: 'a\u0000b',
    });
    const id = await submitted(database, rule, { metadata });
    expect((await database.requests.view(id, null))!.metadata).toEqual(metadata);
    await database.requests.change(id, { type: 'cancel', by: 'client' });
    expect((await database.decisions.context(id))!.metadata).toEqual(metadata);
    const decision = { ...aDecision(id, 'cancelled'), metadata };
    expect(await database.decisions.record({ decision, cause: null })).toBe('recorded');
    expect((await database.requests.view(id, null))!.decision).toEqual(decision);
    expect(JSON.parse((await claim())[0]!.body)).toMatchObject({ data: decision });
  });

  it('gives what a decision is made of, the predefined handlers included', async () => {
    const id = await pending(database, fixture.rule, { request: { metadata: { order: '7' } } });
    expect(await database.decisions.context(id)).toMatchObject({ outcome: null, decided: false });
    await database.requests.change(id, {
      type: 'deny',
      providerError: { code: 'access_denied', description: null },
      polls: 1,
    });
    const context = (await database.decisions.context(id))!;
    expect(context).toMatchObject({
      outcome: 'denied',
      providerError: { code: 'access_denied', description: null },
      definition: fixture.rule.definition,
      metadata: { order: '7' },
      callbackUrl: null,
    });
    expect([...context.handlers.keys()].sort()).toEqual(Object.values(defaultRejectionHandlers).sort());
    expect(await database.decisions.context(randomUUID())).toBeNull();
    expect(await database.requests.undecided({ olderThanSeconds: 0, limit: 10 })).toEqual([id]);
    expect(await database.requests.undecided({ olderThanSeconds: 60, limit: 10 })).toEqual([]);
  });

  it('hands a delivery to one claimer, and to the next when the lease ends', async () => {
    await anEndpoint('https://all.example');
    await Promise.all(Array.from({ length: 20 }, () => decided()));
    const other = await fixture.reopen();
    const claimed = await Promise.all(
      [database, other, database, other].map(({ deliveries }) => deliveries.claim({ limit: 5, leaseSeconds: 60 })),
    );
    const rest = await claim();
    const ids = [...claimed.flat(), ...rest].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(20);
    expect(await claim()).toEqual([]);

    await outside.query(`update deliveries set lease_until = clock_timestamp()`);
    expect(await claim()).toHaveLength(20);
  });

  it('puts a delivery off whose secret does not open, and hands out the others', async () => {
    const broken = await anEndpoint('https://broken.example');
    await anEndpoint('https://sound.example');
    const decision = await decided();
    await outside.query(`update webhook_endpoints set secret = 'changed' where id = $1`, [broken.id]);

    expect((await claim()).map(({ url }) => url)).toEqual(['https://sound.example']);
    const deliveries = await database.deliveries.ofRequest(decision.authorizationRequestId);
    const put = deliveries.find(({ url }) => url === 'https://broken.example')!;
    expect(put).toMatchObject({
      state: 'pending',
      attempts: [{ status: null, problem: expect.stringContaining('secret') }],
    });
    expect(Date.parse(put.nextAttemptAt!)).toBeGreaterThan(Date.now());
  });

  it('gives every target its turn, however much waits for another', async () => {
    await Promise.all(Array.from({ length: 60 }, () => decided({ callbackUrl: 'https://busy.example/' })));
    await Promise.all(['a', 'b', 'c'].map((name) => decided({ callbackUrl: `https://${name}.example/` })));
    const targets = (await claim(8)).map(({ target }) => target);
    expect(new Set(targets)).toEqual(new Set(['busy.example', 'a.example', 'b.example', 'c.example']));
  });

  it('says when the next delivery is due', async () => {
    const { deliveries } = database;
    expect(await deliveries.nextDueAt()).toBeNull();
    const endpoint = await anEndpoint('https://all.example');
    await decided();
    const now = async () => (await outside.query<{ now: Date }>('select clock_timestamp() as now')).rows[0]!.now;
    expect((await deliveries.nextDueAt())!.getTime()).toBeLessThanOrEqual((await now()).getTime());

    const [work] = await claim();
    expect((await deliveries.nextDueAt())!.getTime()).toBeGreaterThan((await now()).getTime() + 50_000);
    await deliveries.finish([
      {
        id: work!.id,
        at: new Date(),
        durationMs: 1,
        status: null,
        problem: 're\u0000set',
        outcome: { retryInSeconds: 300 },
      },
    ]);
    expect((await deliveries.nextDueAt())!.getTime()).toBeGreaterThan((await now()).getTime() + 290_000);
    expect(await claim()).toEqual([]);
    await outside.query('update deliveries set next_attempt_at = clock_timestamp()');
    await database.webhookEndpoints.update(endpoint.id, null, { ...endpoint, enabled: false });
    expect(await deliveries.nextDueAt()).toBeNull();
    expect(await claim()).toEqual([]);
    await database.webhookEndpoints.update(endpoint.id, null, { ...endpoint, enabled: true });
    expect(await claim()).toHaveLength(1);
  });

  it('keeps a log of every attempt, page by page', async () => {
    const endpoint = await anEndpoint('https://all.example');
    const decisions = [await decided(), await decided(), await decided()];
    const at = new Date('2026-11-22T10:00:01.500Z');
    const [first, second] = await claim();
    await database.deliveries.finish([
      { id: first!.id, at, durationMs: 3, status: 204, problem: null, outcome: 'delivered' },
      { id: second!.id, at, durationMs: 4, status: 410, problem: 'gone', outcome: 'gone' },
    ]);
    expect(await database.deliveries.ofRequest(decisions[0]!.authorizationRequestId)).toMatchObject([
      {
        id: first!.id,
        webhookId: decisions[0]!.id,
        state: 'delivered',
        attempts: [{ at: at.toISOString(), status: 204, problem: null, durationMs: 3 }],
        nextAttemptAt: null,
      },
    ]);
    const page = await database.deliveries.ofEndpoint(endpoint.id, { limit: 2 });
    const rest = await database.deliveries.ofEndpoint(endpoint.id, { limit: 2, cursor: page.nextCursor! });
    expect([...page.data, ...rest.data].map(({ webhookId }) => webhookId)).toEqual(
      decisions.map(({ id }) => id).reverse(),
    );
    expect([...page.data, ...rest.data].map(({ state }) => state)).toEqual(['pending', 'exhausted', 'delivered']);
    expect(rest.nextCursor).toBeNull();
  });

  it('ends what is due to an endpoint that is deleted, and never revives what is settled', async () => {
    const endpoint = await anEndpoint('https://all.example');
    const { authorizationRequestId } = await decided();
    const [work] = await claim();
    expect(await database.webhookEndpoints.delete(endpoint.id, null)).toEqual({ kind: 'deleted' });
    await database.deliveries.finish([
      { id: work!.id, at: new Date(), durationMs: 1, status: 500, problem: null, outcome: { retryInSeconds: 0 } },
    ]);
    expect(await database.deliveries.ofRequest(authorizationRequestId)).toMatchObject([{ state: 'exhausted' }]);
    expect(await claim()).toEqual([]);
  });

  it('signs the callbacks of a client that has a secret', async () => {
    const client = await database.apiClients.create({
      name: 'shop',
      scopes: ['requests:write'],
      ...clientDefaults,
      keyHash: Buffer.alloc(32, 7),
      keyPrefix: 'p',
      callbackSecret: 'whsec_callback',
    });
    if (client.kind !== 'created') throw new Error(client.kind);
    await decided({ callbackUrl: 'https://shop.example/', apiClientId: client.row.id });
    expect((await claim())[0]!.secrets).toEqual(['whsec_callback']);
  });
});
