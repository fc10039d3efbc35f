import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authorizationFact, cloudEvent } from '#lib/contracts';
import { Client } from 'pg';
import { aRequest, openFixture, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import { DatabaseBusy, type NewRequest, type StoredEvent } from '../index.js';

describe('submitting requests', () => {
  let fixture: DatabaseFixture;
  beforeAll(async () => {
    fixture = await openFixture();
  });
  afterAll(() => fixture.close());

  const submit = (request: NewRequest) => fixture.database.requests.submit(request);

  it('stores the request, its timeline and its event in one commit', async () => {
    const told: StoredEvent[] = [];
    fixture.database.onEvents((events) => told.push(...events));
    const request = aRequest(fixture.rule, {
      metadata: { zebra: '1', apple: '2' },
      bindingMessage: 'Pay 5 EUR',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });

    const result = await submit(request);

    const view = await fixture.database.requests.view(request.id, request.apiClientId);
    expect(result).toMatchObject({ kind: 'created', id: request.id, createdAt: view!.createdAt });
    expect(view).toMatchObject({
      id: request.id,
      status: 'requested',
      reason: null,
      rule: request.rule,
      bindingMessage: 'Pay 5 EUR',
      stateVersion: 1,
      expiresAt: null,
      decision: null,
    });
    expect(Object.keys(view!.metadata)).toEqual(['zebra', 'apple']);
    expect(await fixture.database.requests.timeline(request.id, null)).toMatchObject([
      { type: 'requested', detail: { version: 1 } },
    ]);
    const { outgoing, id } = told.find(({ outgoing: { event } }) => event.subject === request.id)!;
    expect(outgoing).toMatchObject({ exchange: 'assent.authorizations', routingKey: 'authorization.requested' });
    const event = cloudEvent.parse(outgoing.event);
    expect(event).toMatchObject({ id, type: 'assent.authorization.requested.v1', source: '/assent/test' });
    expect(event.traceparent).toBe(request.traceparent);
    expect(authorizationFact.parse(event.data)).toEqual({
      authorizationRequestId: request.id,
      status: 'requested',
      reason: null,
      stateVersion: 1,
    });
  });

  it('makes one row of many concurrent calls under one key, over two processes', async () => {
    const other = await fixture.reopen();
    const key = randomUUID();
    const bodyHash = Buffer.alloc(32, 1);
    const requests = Array.from({ length: 60 }, () => aRequest(fixture.rule, { idempotencyKey: key, bodyHash }));

    const results = await Promise.all(
      requests.map((request, index) => (index % 2 ? fixture.database : other).requests.submit(request)),
    );

    expect(results.filter(({ kind }) => kind === 'created')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'replayed')).toHaveLength(59);
    expect(new Set(results.map((result) => 'id' in result && result.id)).size).toBe(1);
  });

  it('refuses another body under a used key, and lets another client use it', async () => {
    const idempotencyKey = randomUUID();
    await submit(aRequest(fixture.rule, { idempotencyKey }));
    expect(await submit(aRequest(fixture.rule, { idempotencyKey }))).toEqual({ kind: 'idempotency-key-reused' });
    expect(await submit(aRequest(fixture.rule, { idempotencyKey, apiClientId: randomUUID() }))).toMatchObject({
      kind: 'created',
    });
  });

  it('lets one bad row in a batch fail alone', async () => {
    const good = Array.from({ length: 20 }, () => aRequest(fixture.rule));
    const bad = aRequest(fixture.rule, { requestHash: 'a NUL\u0000 that Postgres cannot store' });

    const results = await Promise.allSettled([...good.slice(0, 10), bad, ...good.slice(10)].map(submit));

    expect(results.map(({ status }) => status)).toEqual([
      ...Array<string>(10).fill('fulfilled'),
      'rejected',
      ...Array<string>(10).fill('fulfilled'),
    ]);
    expect(await fixture.database.requests.states(good.map(({ id }) => id))).toHaveLength(20);
    expect(await fixture.database.requests.view(bad.id, null)).toBeNull();
  });

  it('does not deadlock when two processes insert the same keys in opposite order', async () => {
    const other = await fixture.reopen();
    const keys = Array.from({ length: 200 }, () => randomUUID());
    const bodyHash = Buffer.alloc(32, 2);
    const all = (database: typeof other, order: string[]) =>
      order.map((idempotencyKey) => database.requests.submit(aRequest(fixture.rule, { idempotencyKey, bodyHash })));

    const results = await Promise.all([...all(fixture.database, keys), ...all(other, [...keys].reverse())]);

    expect(results.filter(({ kind }) => kind === 'created')).toHaveLength(200);
    expect(results.filter(({ kind }) => kind === 'replayed')).toHaveLength(200);
  });

  it('refuses at once when thousands of calls wait already', async () => {
    const blocker = new Client({ connectionString: fixture.url });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('lock table authorization_requests in access exclusive mode');
    const waiting = Array.from({ length: 4096 }, () => submit(aRequest(fixture.rule)));
    const [refused] = await Promise.allSettled([submit(aRequest(fixture.rule))]);
    await blocker.query('rollback');
    await blocker.end();

    expect(refused).toMatchObject({ status: 'rejected', reason: expect.any(DatabaseBusy) as unknown });
    expect((await Promise.all(waiting)).every(({ kind }) => kind === 'created')).toBe(true);
  });

  it('shows a request to its own client only', async () => {
    const request = aRequest(fixture.rule);
    await submit(request);
    const { requests } = fixture.database;
    const stranger = randomUUID();
    expect(await requests.view(request.id, stranger)).toBeNull();
    expect(await requests.timeline(request.id, stranger)).toBeNull();
    expect(await requests.attributes(request.id, stranger)).toBeNull();
    expect(await requests.attributes(request.id, request.apiClientId)).toEqual({ email: 'alice@example.com' });
    expect(await requests.view('no-uuid', null)).toBeNull();
  });

  it('lists newest first, page by page, and refuses a cursor that it has not given', async () => {
    const apiClientId = randomUUID();
    const requests = Array.from({ length: 5 }, () => aRequest(fixture.rule, { apiClientId }));
    await Promise.all(requests.map(submit));
    const newestFirst = requests
      .map(({ id }) => id)
      .sort()
      .reverse();

    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await fixture.database.requests.list({ apiClientId, limit: 2, cursor });
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);

    expect(seen).toEqual(newestFirst);
    const listed = async (filter: object) =>
      (await fixture.database.requests.list({ apiClientId, limit: 10, ...filter })).data.length;
    expect(await listed({ statuses: ['pending'] })).toBe(0);
    expect(await listed({ statuses: ['requested', 'pending'] })).toBe(5);
    expect(await listed({ rule: fixture.rule.definition.name })).toBe(5);
    expect(await listed({ rule: fixture.rule.id })).toBe(5);
    expect(await listed({ rule: 'another' })).toBe(0);
    expect(await listed({ createdBefore: new Date(0) })).toBe(0);
    await expect(listed({ cursor: 'bm9uc2Vuc2U' })).rejects.toThrow('cursor');
  });
});
