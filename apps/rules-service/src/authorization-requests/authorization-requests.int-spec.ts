import { createHash, randomUUID } from 'node:crypto';
import {
  authorizationRequest,
  consumption,
  page,
  timeline,
  type AuthorizationRequestDocument,
  type Page,
  type Problem,
  type Rule,
} from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AssentClient } from '../../../../test/support/assent-client.js';
import { readEventStream } from '../../../../test/support/event-stream.js';
import { canonicalJson } from '#lib/domain';
import { ruleBody, RulesHouse } from '../../../../test/support/rules-house.js';
import { approve } from '../../../../test/support/postgres-builders.js';
import { Unroutable, type OutgoingEvent } from '#lib/messaging';
import { Waiters } from './waiters.js';

const path = '/v1/authorization-requests';
const attributes = { email: 'alice@example.com', amount: '25 EUR' };

let house: RulesHouse;
let rule: Rule;
let shop: AssentClient;
let other: AssentClient;
beforeAll(async () => {
  house = await RulesHouse.open();
  rule = await house.rule({ name: 'Approve a payment', bindingMessage: 'Pay {{amount}}' });
  shop = await house.client('requests:write', 'requests:read');
  other = await house.client('requests:write', 'requests:read');
});
afterAll(() => house.close());

const submit = (over: object = {}, headers: Record<string, string> = {}, client = shop) =>
  client.submit({ rule: rule.id, attributes, ...over }, headers) as Promise<{
    status: number;
    headers: Headers;
    body: AuthorizationRequestDocument & Partial<Pick<Problem, 'code' | 'detail' | 'errors'>>;
  }>;
const stored = async (): Promise<number> =>
  Number((await house.query<{ count: string }>('select count(*) from authorization_requests'))[0]!.count);
const waitedFor = (id: string, service = house.service): boolean => service.app.get(Waiters).waitsFor(id);
/** Resolves when a call waits for the request. */
async function waiting(id: string, service = house.service): Promise<void> {
  while (!waitedFor(id, service)) await nextTurn();
}
/** Resolves when no call waits for the request any more. */
async function notWaiting(id: string): Promise<void> {
  while (waitedFor(id)) await nextTurn();
}
/** News that a request is decided, as far as the service reads it. */
const decisionOf = (id: string): OutgoingEvent => ({
  exchange: 'assent.decisions',
  routingKey: 'decision.denied',
  event: {
    specversion: '1.0',
    id: randomUUID(),
    source: '/test',
    type: 'assent.decision.denied.v1',
    subject: id,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { authorizationRequestId: id },
  },
});
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
/** The id of the request that bears this note, as soon as it is stored. */
async function idOf(note: string): Promise<string> {
  for (;;) {
    const text = `select id from authorization_requests where metadata->>'wait' = $1`;
    const [row] = await house.query<{ id: string }>(text, [note]);
    if (row) return row.id;
  }
}

describe('submitting', () => {
  it('answers 202 with the document, where it lives, and when to ask again', async () => {
    const answer = await submit({ metadata: { order: '7' } });
    expect(answer.status).toBe(202);
    const { id } = answer.body;
    expect(answer.headers.get('location')).toBe(`${path}/${id}`);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('x-powered-by')).toBeNull();
    expect(authorizationRequest.parse(answer.body)).toEqual({
      id,
      status: 'requested',
      reason: null,
      providerError: null,
      rule: { id: rule.id, name: rule.name, version: 1 },
      bindingMessage: 'Pay 25 EUR',
      requestHash: expect.any(String),
      createdAt: expect.any(String),
      expiresAt: null,
      decision: null,
      consumedAt: null,
      metadata: { order: '7' },
      links: {
        self: `${path}/${id}`,
        events: `${path}/${id}/events`,
        cancel: `${path}/${id}/cancel`,
        consume: `${path}/${id}/consume`,
      },
    });
    expect((await shop.request(id)).body).toEqual(answer.body);
  });

  it('hashes what is asked', async () => {
    const { body } = await submit();
    const asked = { ruleId: rule.id, ruleVersion: 1, attributes, bindingMessage: 'Pay 25 EUR' };
    const hash = createHash('sha256').update(canonicalJson(asked)).digest('base64url');
    expect(body.requestHash).toBe(hash);
    const reordered = { amount: '25 EUR', email: 'alice@example.com' };
    expect((await submit({ attributes: reordered })).body.requestHash).toBe(hash);
    expect((await submit({ attributes: { ...attributes, amount: '26 EUR' } })).body.requestHash).not.toBe(hash);
    expect((await submit({ bindingMessage: 'Hello' })).body.requestHash).not.toBe(hash);
  });

  it('takes nothing whose details would have a gap', async () => {
    const detailed = await house.rule({ authorizationDetails: [{ type: 'payment', to: ['{{payee}}', '{{amount}}'] }] });
    const { status, body } = await submit({ rule: detailed.id });
    expect({ status, errors: body.errors }).toMatchObject({ status: 422, errors: [{ pointer: '/attributes/payee' }] });
    expect((await submit({ rule: detailed.id, attributes: { ...attributes, payee: '' } })).status).toBe(202);
  });

  it('takes a rule by its name as well', async () => {
    expect((await submit({ rule: rule.name })).body.rule.id).toBe(rule.id);
  });

  it('makes the binding message fit the provider (R18, R111)', async () => {
    const auth0 = await house.provider({ profile: 'auth0' });
    const demanding = await house.admin.create<Rule>('rules', ruleBody(auth0.id));
    expect((await submit({ rule: demanding.id })).body.bindingMessage).toMatch(/^[A-Z2-9]{6}$/);
    const own = await submit({ rule: demanding.id, bindingMessage: 'Überweisung an ACME' });
    expect(own.body.bindingMessage).toMatch(/^[a-zA-Z0-9+\-_.,:#]{1,64}$/);
    expect((await submit({ bindingMessage: 'My own {{amount}}' })).body.bindingMessage).toBe('My own {{amount}}');
    expect((await submit({ rule: (await house.rule()).id })).body.bindingMessage).toBeNull();
  });

  it('keeps what names the person sealed, and tells the bus ids only (R110)', async () => {
    const before = new Set((await house.query<{ id: string }>('select id from outbox')).map(({ id }) => id));
    const canary = `canary-${randomUUID()}@example.com`;
    const { body } = await submit({ attributes: { email: canary, note: canary }, userCode: 'canary-code' });
    expect(body.status).toBe('requested');
    const rows = await house.query(
      `select to_jsonb(r) as row, encode(attributes, 'escape'), encode(login_hint, 'escape') as hint
       from authorization_requests r where id = $1`,
      [body.id],
    );
    const told = (await house.query<{ id: string }>('select * from outbox')).filter(({ id }) => !before.has(id));
    expect(told).toHaveLength(1);
    expect(JSON.stringify([rows, told, body])).not.toMatch(/canary-/);
    expect(await house.database.requests.attributes(body.id, null)).toEqual({ email: canary, note: canary });
  });

  it('carries the trace context on, when it can be read', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const traced = await submit({}, { traceparent });
    const untraced = await submit({}, { traceparent: '00-00000000000000000000000000000000-b7ad6b7169203331-01' });
    expect([traced.status, untraced.status]).toEqual([202, 202]);
    const of = async (id: string) =>
      (
        await house.query<{ traceparent: string | null }>(
          'select traceparent from authorization_requests where id = $1',
          [id],
        )
      )[0]!.traceparent;
    expect(await of(traced.body.id)).toBe(traceparent);
    expect(await of(untraced.body.id)).toBeNull();
  });

  it.each([
    ['an unknown rule', { rule: 'No such rule' }, 422, 'unknown_rule', '/rule'],
    ['an unknown rule id', { rule: randomUUID() }, 422, 'unknown_rule', '/rule'],
    ['no login hint', { attributes: { amount: '1' } }, 422, 'login_hint_missing', '/attributes/email'],
    ['an empty login hint', { attributes: { email: '  ' } }, 422, 'login_hint_missing', '/attributes/email'],
    ['a callback that is no web address', { callbackUrl: 'ftp://x.example/' }, 422, 'invalid_body', '/callbackUrl'],
    ['a callback into our network', { callbackUrl: 'https://10.0.0.1/' }, 422, 'callback_url_refused', '/callbackUrl'],
  ])('refuses %s, and stores nothing', async (_, over, status, code, pointer) => {
    const before = await stored();
    const answer = await submit(over);
    expect(answer).toMatchObject({ status, body: { code, errors: [{ pointer }] } });
    expect(await stored()).toBe(before);
  });

  it('says what an attribute may be', async () => {
    const detail = 'Give a string of at most 4096 characters, a number or a boolean.';
    const answer = await submit({ attributes: { email: { nested: true } } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/attributes/email', detail }] } });
  });

  it('refuses a disabled rule', async () => {
    const disabled = await house.rule({ enabled: false });
    expect(await submit({ rule: disabled.id })).toMatchObject({ status: 409, body: { code: 'rule_disabled' } });
  });

  it('says what to do when it is refused', async () => {
    const detailOf = async (over: Parameters<typeof submit>[0]) => (await submit(over)).body.detail;
    const disabled = await house.rule({ enabled: false });
    expect(await detailOf({ rule: 'Nobody wrote it' })).toBe(
      'There is no rule of this id or name. Names count letter by letter; GET /v1/rules (admin:read) lists them.',
    );
    expect(await detailOf({ rule: disabled.id })).toMatch(
      / is disabled\. Nobody was asked\. Enable it, or name another rule\.$/,
    );
    expect(await detailOf({ attributes: { amount: '1' } })).toMatch(
      / from the attribute email, which is missing: send it\.$/,
    );
  });

  it('runs each request under the version of the rule that it met', async () => {
    const changing = await house.rule({ bindingMessage: 'One' });
    const first = await submit({ rule: changing.id });
    await house.admin.call('PATCH', `/v1/rules/${changing.id}`, { bindingMessage: 'Two', name: `Two ${randomUUID()}` });
    const second = await submit({ rule: changing.id });
    expect([first.body.rule.version, second.body.rule.version]).toEqual([1, 2]);
    expect((await shop.request(first.body.id)).body).toMatchObject({ bindingMessage: 'One', rule: { version: 1 } });
  });
});

describe('an idempotency key', () => {
  const keyed = (key: string, over: object = {}, client = shop) => submit(over, { 'idempotency-key': key }, client);

  it.each([
    ['was disabled', { enabled: false }],
    ['takes another hint', { loginHintAttribute: 'phone' }],
  ])('answers a repetition like the first call, also when the rule %s meanwhile', async (_, change) => {
    const changing = await house.rule();
    const [key, over] = [randomUUID(), { rule: changing.id }];
    const first = await keyed(key, over);
    await house.admin.call('PATCH', `/v1/rules/${changing.id}`, change);
    const again = await keyed(key, over);
    expect(again).toMatchObject({ status: 202, body: { id: first.body.id } });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const otherBody = await keyed(key, { ...over, metadata: { order: '8' } });
    expect(otherBody).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect((await submit(over)).status).toBeGreaterThanOrEqual(400);
  });

  it('makes one request of many concurrent calls', async () => {
    const before = await stored();
    const answers = await Promise.all(Array.from({ length: 24 }, () => keyed('one')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(23);
    expect(await stored()).toBe(before + 1);
  });

  it('shows the request as it is now', async () => {
    const { body } = await keyed('now');
    await house.deny(body.id);
    const again = await keyed('now', { attributes: { amount: '25 EUR', email: 'alice@example.com' } });
    expect(again).toMatchObject({ status: 201, body: { id: body.id, status: 'denied' } });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it('belongs to one body and one client', async () => {
    const { body } = await keyed('body');
    const refused = await keyed('body', { metadata: { other: 'x' } });
    expect(refused).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const others = await keyed('body', {}, other);
    expect(others.status).toBe(202);
    expect(others.body.id).not.toBe(body.id);
  });

  it('has 1 to 255 printable characters', async () => {
    expect((await keyed('k'.repeat(255))).status).toBe(202);
    for (const key of ['', 'k'.repeat(256), 'é', 'a\tb']) {
      expect([key, await keyed(key)]).toMatchObject([key, { status: 400, body: { code: 'invalid_idempotency_key' } }]);
    }
  });
});

describe('waiting', () => {
  const prefer = { prefer: 'wait=30' };

  it('in the submission answers 201 as soon as there is a decision', async () => {
    const answering = submit({ metadata: { wait: 'submit' } }, prefer);
    const id = await idOf('submit');
    await waiting(id);
    await house.approve(id);
    const answer = await answering;
    expect(answer).toMatchObject({ status: 201, body: { id, status: 'approved', decision: { outcome: 'approved' } } });
    expect(answer.headers.get('preference-applied')).toBe('wait=30');
    expect(answer.headers.get('retry-after')).toBeNull();
    expect(answer.headers.get('location')).toBe(`${path}/${id}`);
  });

  it('ends with the document as it is when the time is over', async () => {
    const answer = await submit({}, { prefer: 'wait=1' });
    expect(answer).toMatchObject({ status: 202, body: { status: 'requested' } });
    expect(answer.headers.get('preference-applied')).toBe('wait=1');
    const { body, status, headers } = await shop.call<AuthorizationRequestDocument>(
      'GET',
      `${path}/${answer.body.id}?wait=1`,
    );
    expect([status, body.status, headers.get('preference-applied')]).toEqual([200, 'requested', null]);
    expect(headers.get('retry-after')).not.toBeNull();
  });

  it('wakes every call that waits for the same request, on every instance', async () => {
    const second = await house.startService();
    const elsewhere = new AssentClient(second.url!, shop.apiKey);
    const { id } = (await submit()).body;
    const calls = [shop, elsewhere, shop].map((client) => client.request(id, prefer));
    await waiting(id);
    await house.deny(id);
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ status: 200, body: { status: 'denied', decision: { outcome: 'denied' } } });
    }
  });

  it('is all that the service hears events for', async () => {
    const quiet = await RulesHouse.open();
    try {
      const { id } = (await quiet.admin.submit({ rule: (await quiet.rule()).id, attributes })).body as { id: string };
      const publish = () => quiet.bus.publish(decisionOf(id));
      await expect(publish()).rejects.toThrow(Unroutable);
      const answering = quiet.admin.request(id, prefer);
      await waiting(id, quiet.service);
      await publish();
      await quiet.deny(id);
      expect((await answering).body).toMatchObject({ status: 'denied' });
    } finally {
      await quiet.close();
    }
  });

  it('means the decision, not the end alone', async () => {
    const { id } = (await submit()).body;
    const answering = shop.request(id, prefer);
    await waiting(id);
    await house.approve(id, { undecided: true });
    const undecided = await shop.request(id);
    expect(undecided.body).toMatchObject({ status: 'approved', decision: null });
    const decision = await house.decide(id);
    expect((await answering).body).toMatchObject({ status: 'approved', decision });
  });

  it('is over at once for what is decided', async () => {
    const { id } = (await submit()).body;
    await house.deny(id);
    expect(await shop.request(id, prefer)).toMatchObject({ status: 200, body: { status: 'denied' } });
  });

  it('with If-None-Match is for any change', async () => {
    const { id } = (await submit()).body;
    const known = (etag: string, headers: object = {}) => shop.request(id, { 'if-none-match': etag, ...headers });
    const unchanged = await known('"1"');
    expect([unchanged.status, unchanged.body, unchanged.headers.get('etag')]).toEqual([304, null, '"1"']);
    expect((await known('W/"1", "x"')).status).toBe(304);
    expect((await known('"2"', prefer)).status).toBe(200);
    expect((await known('"1"', { prefer: 'wait=1' })).status).toBe(304);
    const answering = known('"1"', prefer);
    await waiting(id);
    await house.acknowledge(id);
    expect(await answering).toMatchObject({ status: 200, body: { status: 'pending', decision: null } });
  });

  it('ends when the instance stops, with the document as it is', async () => {
    const leaving = await house.startService();
    const { id } = (await submit()).body;
    const answering = new AssentClient(leaving.url!, shop.apiKey).request(id, prefer);
    await waiting(id, leaving);
    await leaving.stop();
    expect(await answering).toMatchObject({ status: 200, body: { status: 'requested' } });
  });

  it('leaves nothing behind when the caller goes', async () => {
    const { id } = (await submit()).body;
    const gone = new AbortController();
    const answering = fetch(`${house.url}${path}/${id}`, {
      headers: { authorization: `Bearer ${shop.apiKey}`, ...prefer },
      signal: gone.signal,
    });
    await waiting(id);
    gone.abort();
    await expect(answering).rejects.toThrow();
    await notWaiting(id);
  });
});

describe('another client', () => {
  it('finds nothing of a request that is not its own', async () => {
    const { id } = (await submit()).body;
    await house.approve(id);
    for (const [method, action] of [
      ['GET', ''],
      ['GET', '/timeline'],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['POST', '/consume'],
    ] as const) {
      const answer = await other.call<Problem>(method, `${path}/${id}${action}`);
      expect([action, answer.status, answer.body.code]).toEqual([action, 404, 'not_found']);
    }
    const listed = await other.call<Page<AuthorizationRequestDocument>>('GET', `${path}?limit=100`);
    expect(listed.body.data.map((each) => each.id)).not.toContain(id);
    expect((await shop.consume(id)).status).toBe(200);
  });

  it('that may read administration sees everything, and uses nothing that is not its own', async () => {
    const { id } = (await submit()).body;
    await house.approve(id);
    expect((await house.admin.request(id)).status).toBe(200);
    expect((await house.admin.timeline(id)).status).toBe(200);
    expect((await house.admin.consume(id)).status).toBe(404);
    const second = (await submit()).body.id;
    expect((await house.admin.cancel(second)).body.status).toBe('cancelled');
  });
});

describe('the list', () => {
  const list = async (query: string, client = shop) =>
    client.call<Page<AuthorizationRequestDocument> & Partial<Problem>>('GET', `${path}?${query}`);

  it('is filtered and paged, newest first', async () => {
    const own = await house.rule({ name: `Listed ${randomUUID()}` });
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.unshift((await submit({ rule: own.id })).body.id);
    await house.deny(ids[0]!);
    await house.acknowledge(ids[1]!);
    const of = async (query: string) => {
      const { status, body } = await list(`rule=${own.id}&${query}`);
      expect([query, status]).toEqual([query, 200]);
      expect(page(authorizationRequest).parse(body)).toEqual(body);
      return body.data.map(({ id }) => id);
    };
    expect(await of('')).toEqual(ids);
    expect(await of('status=denied')).toEqual([ids[0]]);
    expect(await of('status=denied,pending')).toEqual(ids.slice(0, 2));
    expect(await of('status=approved')).toEqual([]);
    const { body: third } = await shop.request(ids[2]!);
    expect(await of(`createdBefore=${third.createdAt}`)).toEqual(ids.slice(3));
    expect(await of(`createdAfter=${third.createdAt}`)).toEqual(expect.arrayContaining(ids.slice(0, 2)));
    const byName = await list(new URLSearchParams({ rule: own.name, limit: '2' }).toString());
    expect(byName.body.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const next = /^<(.+)>; rel="next"$/.exec(byName.headers.get('link')!)![1]!;
    const rest = await shop.call<Page<AuthorizationRequestDocument>>('GET', next);
    expect(rest.body.data.map(({ id }) => id)).toEqual(ids.slice(2, 4));
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=x',
    'status=unknown',
    'status=',
    'createdAfter=yesterday',
    'createdAfter=0000-01-01T00:00:00Z',
    'unknown=1',
    'limit=1&limit=2',
    'rule=%00',
    `rule=${'r'.repeat(65)}`,
    'rule=a%0Ab',
  ])('refuses %s', async (query) => {
    expect(await list(query)).toMatchObject({ status: 400, body: { code: 'invalid_parameter' } });
  });

  it('refuses a cursor of other making', async () => {
    for (const cursor of ['x', Buffer.from('nonsense').toString('base64url')]) {
      expect(await list(`cursor=${cursor}`)).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
    }
  });
});

describe('the timeline', () => {
  it('tells what happened, in order, and nothing secret', async () => {
    const { id } = (await submit()).body;
    await house.approve(id);
    await shop.consume(id);
    const { body } = await shop.timeline(id);
    expect(timeline.parse(body)).toEqual(body);
    expect(body.data.map(({ type }) => type)).toEqual(['requested', 'initiated', 'approved', 'decided', 'consumed']);
    expect(JSON.stringify(body)).not.toContain('alice');
  });
});

describe('the event stream', () => {
  const headers = () => ({ authorization: `Bearer ${shop.apiKey}` });
  const events = (id: string, more: Record<string, string> = {}) =>
    readEventStream(`${house.url}${path}/${id}/events`, { ...headers(), ...more });

  it('shows the document now and at each change, and ends after the decision', async () => {
    const { id } = (await submit()).body;
    const reading = events(id);
    await waiting(id);
    await house.acknowledge(id);
    const pending = await shop.request(id, { prefer: 'wait=1', 'if-none-match': '"1"' });
    expect(pending.body.status).toBe('pending');
    await house.database.requests.change(id, { type: 'deny', providerError: null, polls: 1 });
    await house.decide(id);
    const seen = await reading;
    expect(seen.at(0)).toMatchObject({ event: 'requested', id: '1' });
    expect(seen.at(-1)).toMatchObject({ event: 'denied' });
    expect([...new Set(seen.map(({ event }) => event))]).toEqual(expect.arrayContaining(['requested', 'denied']));
    for (const { event, id: version, data } of seen) {
      const document = authorizationRequest.parse(JSON.parse(data));
      expect(document).toMatchObject({ id, status: event });
      expect(version).toMatch(/^\d+$/);
    }
    const last = JSON.parse(seen.at(-1)!.data) as AuthorizationRequestDocument;
    expect(last).toEqual((await shop.request(id)).body);
    const versions = seen.map((event) => Number(event.id));
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  it('goes on after the event that was seen last', async () => {
    const { id } = (await submit()).body;
    await house.deny(id);
    const whole = await events(id);
    expect(whole).toHaveLength(1);
    expect(await events(id, { 'last-event-id': '1' })).toEqual(whole);
    expect(await events(id, { 'last-event-id': 'nonsense' })).toEqual(whole);
    const over = await fetch(`${house.url}${path}/${id}/events`, {
      headers: { ...headers(), 'last-event-id': whole[0]!.id! },
    });
    expect(over.status).toBe(204);
    await over.text();
  });

  it('is a stream by its headers', async () => {
    const { id } = (await submit()).body;
    await house.deny(id);
    const answer = await fetch(`${house.url}${path}/${id}/events`, { headers: headers() });
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).toMatch(/^retry: 1000\n\nid: \d+\nevent: denied\ndata: \{.*\}\n\n$/);
  });

  it('ends when the caller goes or the instance stops', async () => {
    const { id } = (await submit()).body;
    const gone = new AbortController();
    const open = await fetch(`${house.url}${path}/${id}/events`, { headers: headers(), signal: gone.signal });
    await waiting(id);
    gone.abort();
    await expect(open.text()).rejects.toThrow();
    await notWaiting(id);
    const leaving = await house.startService();
    const left = readEventStream(`${leaving.url}${path}/${id}/events`, headers());
    await waiting(id, leaving);
    await leaving.stop();
    expect((await left).map(({ event }) => event)).toEqual(['requested']);
  });
});

describe('withdrawing', () => {
  it('cancels what has not ended, and says the same again', async () => {
    for (const prepare of [() => Promise.resolve(), (id: string) => house.acknowledge(id)]) {
      const { id } = (await submit()).body;
      await prepare(id);
      const cancelled = await shop.cancel(id);
      expect(cancelled).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
      const again = await shop.cancel(id);
      expect(again).toMatchObject({ status: 200, body: cancelled.body });
      await house.decide(id);
      expect((await shop.cancel(id)).body).toMatchObject({ decision: { outcome: 'cancelled' } });
    }
  });

  it('comes too late for what has ended', async () => {
    const denied = (await submit()).body.id;
    await house.deny(denied);
    expect(await shop.cancel(denied)).toMatchObject({ status: 409, body: { code: 'already_decided' } });
    const approved = (await submit()).body.id;
    await house.approve(approved);
    expect(await shop.cancel(approved)).toMatchObject({ status: 409, body: { code: 'already_decided' } });
    expect((await shop.request(approved)).body.status).toBe('approved');
  });

  it('races with an approval to exactly one end', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = (await submit()).body;
      await house.acknowledge(id);
      const [cancelled, approved] = await Promise.all([shop.cancel(id), house.database.requests.change(id, approve())]);
      const ends = [cancelled.status === 200, approved.kind === 'applied'];
      expect(ends.filter(Boolean)).toHaveLength(1);
    }
  });
});

describe('using an approval', () => {
  const approved = async (over: object = {}, ending: Parameters<RulesHouse['approve']>[1] = {}): Promise<string> => {
    const { id } = (await submit(over)).body;
    await house.approve(id, ending);
    return id;
  };
  const consume = (id: string, body?: unknown, key?: string) =>
    shop.call<Problem & { decision: object; consumedAt: string }>(
      'POST',
      `${path}/${id}/consume`,
      body,
      key === undefined ? {} : { 'idempotency-key': key },
    );

  it('answers the decision once', async () => {
    const id = await approved();
    const used = await consume(id);
    expect(used.status).toBe(200);
    expect(used.headers.get('cache-control')).toBe('no-store');
    expect(consumption.parse(used.body)).toEqual(used.body);
    const { body } = await shop.request(id);
    expect(used.body).toEqual({ decision: body.decision, consumedAt: body.consumedAt, accessToken: null });
    expect(await consume(id)).toMatchObject({ status: 409, body: { code: 'already_consumed' } });
  });

  it('succeeds for exactly one of many', async () => {
    const id = await approved();
    const answers = await Promise.all(Array.from({ length: 32 }, () => consume(id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 200);
    for (const { status, body } of others) expect([status, body.code]).toEqual([409, 'already_consumed']);
  });

  it('is repeated under its own key only', async () => {
    const id = await approved();
    const answers = await Promise.all(Array.from({ length: 8 }, () => consume(id, undefined, 'mine')));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(7);
    expect(await consume(id, undefined, 'other')).toMatchObject({ status: 409, body: { code: 'already_consumed' } });
    expect(await consume(id)).toMatchObject({ status: 409, body: { code: 'already_consumed' } });
    expect(await consume(id, undefined, 'é')).toMatchObject({ status: 400, body: { code: 'invalid_idempotency_key' } });
  });

  it('demands what was approved, when it is told', async () => {
    const id = await approved({ attributes: { email: 'alice@example.com', amount: 1, urgent: true } });
    for (const mismatch of [
      { email: 'alice@example.com', amount: 1 },
      { email: 'alice@example.com', amount: 2, urgent: true },
      { email: 'alice@example.com', amount: '1', urgent: true },
      { email: 'alice@example.com', amount: 1, urgent: true, more: 'x' },
      {},
    ]) {
      const refused = await consume(id, { attributes: mismatch });
      expect(refused).toMatchObject({ status: 409, body: { code: 'request_mismatch' } });
      expect(refused.body.detail).toContain('do not carry the operation out');
    }
    expect((await shop.request(id)).body.consumedAt).toBeNull();
    const matching = { urgent: true, amount: 1.0, email: 'alice@example.com' };
    expect((await consume(id, { attributes: matching })).status).toBe(200);
  });

  it('hands out the access token that the rule releases', async () => {
    const expiresAt = new Date(Date.now() + 600_000);
    const id = await approved(
      {},
      { releasedToken: { value: 'released-token', tokenType: 'Bearer', expiresAt, scope: 'openid payments' } },
    );
    expect(JSON.stringify((await shop.request(id)).body)).not.toContain('released-token');
    const used = await consume(id, {}, 'token');
    const accessToken = {
      value: 'released-token',
      tokenType: 'Bearer',
      expiresAt: expiresAt.toISOString(),
      scope: 'openid payments',
    };
    expect(used.body).toMatchObject({ accessToken });
    expect((await consume(id, {}, 'token')).body).toEqual(used.body);
  });

  it('waits for the decision document', async () => {
    const id = await approved({}, { undecided: true });
    const using = consume(id);
    await waiting(id);
    const decision = await house.decide(id);
    expect(await using).toMatchObject({ status: 200, body: { decision: { id: decision.id } } });
  });

  it('uses nothing when the decision document does not come', async () => {
    const id = await approved({}, { undecided: true });
    const refused = await consume(id);
    expect(refused).toMatchObject({ status: 503, body: { code: 'decision_pending' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await shop.request(id)).body.consumedAt).toBeNull();
    await house.decide(id);
    expect((await consume(id)).status).toBe(200);
  });

  it('is refused for everything but an approval', async () => {
    const refused = { status: 409, body: { code: 'not_approved' } };
    const requested = (await submit()).body.id;
    expect(await consume(requested)).toMatchObject(refused);
    await house.deny(requested);
    expect(await consume(requested)).toMatchObject(refused);
    const cancelled = (await submit()).body.id;
    await shop.cancel(cancelled);
    expect(await consume(cancelled)).toMatchObject(refused);
  });

  it('comes too late when the approval has lapsed', async () => {
    const id = await approved();
    await house.query(`update authorization_requests set consume_by = now() - interval '1 second' where id = $1`, [id]);
    expect(await consume(id)).toMatchObject({ status: 409, body: { code: 'approval_lapsed' } });
  });
});

describe('the published keys', () => {
  it('are public and short-lived in caches', async () => {
    const answer = await fetch(`${house.url}/.well-known/jwks.json`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/jwk-set\+json/);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=60');
    const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] };
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(key).toMatchObject({ kid: expect.any(String), alg: expect.any(String), use: 'sig' });
      expect(key).not.toHaveProperty('d');
    }
  });
});
