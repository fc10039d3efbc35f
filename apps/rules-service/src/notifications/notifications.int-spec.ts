import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Rule } from '#lib/contracts';
import { v7 as uuid } from 'uuid';
import { RulesHouse } from '../../../../test/support/rules-house.js';
import { startScriptedProvider, type ScriptedProvider } from '../../../../test/support/scripted-provider.js';

let house: RulesHouse;
let provider: ScriptedProvider;
const rules: Record<'ping' | 'push', Rule> = {} as never;

beforeAll(async () => {
  house = await RulesHouse.open();
  rules.ping = await house.rule({ deliveryMode: 'ping' });
  provider = await startScriptedProvider();
  const { id: tokenProviderId } = await house.provider({ issuer: provider.issuer });
  const push = { tokenProviderId, clientId: 'client-1', deliveryMode: 'push', requestedExpirySeconds: 90 };
  rules.push = await house.rule(push);
}, 60_000);
afterAll(async () => {
  await house.close();
  await provider.stop();
}, 60_000);

interface Started {
  readonly id: string;
  readonly attemptId: string;
  readonly token: string;
  readonly sentAt: Date;
}

/** A request whose start call is under way. */
async function started(mode: 'ping' | 'push' = 'ping'): Promise<Started> {
  const id = await house.request(rules[mode]);
  return { id, ...(await attempt(id)) };
}

async function attempt(requestId: string): Promise<Omit<Started, 'id'>> {
  const attemptId = uuid();
  const token = house.database.requests.issueNotificationToken();
  const opened = await house.database.requests.openAttempt({
    requestId,
    attemptId,
    instanceId: 'test',
    callTimeoutMs: 10_000,
    notificationToken: token,
    cause: null,
  });
  if (opened.kind !== 'opened') throw new Error(opened.kind);
  return { attemptId, token, sentAt: opened.sentAt };
}

/** A request whose start call was acknowledged. */
async function pending(mode: 'ping' | 'push' = 'ping'): Promise<Started & { readonly authReqId: string }> {
  const call = await started(mode);
  const authReqId = randomUUID();
  expect((await acknowledge(call, authReqId)).kind).toBe('applied');
  return { ...call, authReqId };
}

const acknowledge = ({ id, attemptId, sentAt }: Started, authReqId: string) =>
  house.database.requests.change(id, {
    type: 'acknowledge',
    attemptId,
    authReqId,
    sentAt,
    expiresInSeconds: 300,
    intervalSeconds: 7,
  });

const tell = (token: string | null, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${house.url}/v1/ciba/notifications`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const statusOf = async (answer: Promise<Response>): Promise<number> => (await answer).status;

const events = async (id: string): Promise<string[]> =>
  (
    await house.query<{ routing_key: string }>(
      `select routing_key from outbox where event->>'subject' = $1 order by created_at, id`,
      [id],
    )
  ).map(({ routing_key }) => routing_key);

const pings = async (id: string): Promise<number> =>
  (await events(id)).filter((key) => key === 'authorization.pinged').length;

const row = async (id: string) =>
  (
    await house.query<{ status: string; reason: string | null; lifetime: number; interval_seconds: number }>(
      `select status, reason, extract(epoch from expires_at - sent_at)::integer as lifetime, interval_seconds
       from authorization_requests where id = $1`,
      [id],
    )
  )[0]!;

describe('a ping', () => {
  it('of a pending request is answered 204 without a body, and told to the pollers once (R71, R73, R78)', async () => {
    const { id, token, authReqId } = await pending();
    const answer = await tell(token, { auth_req_id: authReqId });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(await pings(id)).toBe(1);
    const again = await Promise.all(
      Array.from({ length: 100 }, () => statusOf(tell(token, { auth_req_id: authReqId }))),
    );
    expect(new Set(again)).toEqual(new Set([204]));
    expect(await pings(id)).toBe(1);
    expect((await row(id)).status).toBe('pending');
  });

  it('tells the pollers ids and statuses, and nothing that opens anything', async () => {
    const { id, token, authReqId } = await pending();
    await tell(token, { auth_req_id: authReqId });
    const stored = await house.query<{ event: { data: object } }>(
      `select event from outbox where event->>'subject' = $1 and routing_key = 'authorization.pinged'`,
      [id],
    );
    expect(stored[0]!.event.data).toEqual({
      authorizationRequestId: id,
      status: 'pending',
      reason: null,
      stateVersion: 2,
    });
    expect(JSON.stringify(stored)).not.toContain(authReqId);
    expect(JSON.stringify(stored)).not.toContain(token);
  });

  it.each(['bearer', 'BEARER', 'bEaReR'])('may name the scheme %s (R74)', async (scheme) => {
    const { token, authReqId } = await pending();
    const authorization = `${scheme} ${token}`;
    expect(await statusOf(tell(null, { auth_req_id: authReqId }, { authorization }))).toBe(204);
  });

  it('may carry members that nobody knows, tokens included: they are not looked at (R75)', async () => {
    const { id, token, authReqId } = await pending();
    const body = {
      auth_req_id: authReqId,
      urgent: true,
      access_token: 'at',
      error: 'access_denied',
      nested: { a: [1] },
    };
    expect(await statusOf(tell(token, body))).toBe(204);
    expect((await row(id)).status).toBe('pending');
    expect(await house.query(`select 1 from held_answers where request_id = $1`, [id])).toEqual([]);
  });

  it('of a request that has ended is accepted and changes nothing (R78)', async () => {
    const { id, token, authReqId } = await pending();
    await house.database.requests.change(id, { type: 'cancel', by: 'test' });
    expect(await statusOf(tell(token, { auth_req_id: authReqId }))).toBe(204);
    expect((await row(id)).status).toBe('cancelled');
    expect(await pings(id)).toBe(0);
  });

  it('of a request that ended before anybody knew its auth_req_id changes nothing either', async () => {
    const { id, token } = await started();
    await house.database.requests.change(id, {
      type: 'fail-start',
      attemptId: null,
      reason: 'initiation_unknown',
      providerError: null,
    });
    expect(await statusOf(tell(token, { auth_req_id: 'news' }))).toBe(204);
    expect(await row(id)).toMatchObject({ status: 'failed', reason: 'initiation_unknown' });
  });
});

describe('a bearer that does not fit', () => {
  const unfit: [string, () => Record<string, string>][] = [
    ['no token', () => ({})],
    ['an unknown token', () => ({ authorization: `Bearer ${randomBytes(32).toString('base64url')}` })],
    ['our own API key', () => ({ authorization: `Bearer ${house.apiKey}` })],
    ['another scheme', () => ({ authorization: `Basic ${Buffer.from('a:b').toString('base64')}` })],
    ['an empty token', () => ({ authorization: 'Bearer ' })],
    ['a token of strange characters', () => ({ authorization: 'Bearer a b' })],
    ['a token without end', () => ({ authorization: `Bearer ${'x'.repeat(5000)}` })],
  ];

  it.each(unfit)('%s: 401, whatever the body (R72, R80)', async (_what, headers) => {
    const { id, authReqId } = await pending();
    const bodies = [
      JSON.stringify({ auth_req_id: authReqId }),
      JSON.stringify({ auth_req_id: 'unknown' }),
      '{',
      'x'.repeat(10_000),
    ];
    const answers = await Promise.all(bodies.map((body) => tell(null, body, headers())));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(texts).size).toBe(1);
    expect(await pings(id)).toBe(0);
  });

  it('is the token of another request: 401, and neither is touched (R72)', async () => {
    const [mine, other] = [await pending(), await pending()];
    const answer = await tell(mine.token, { auth_req_id: other.authReqId });
    const unknown = await tell(randomBytes(32).toString('base64url'), { auth_req_id: other.authReqId });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toBe(await unknown.text());
    expect(await tell(mine.token, { auth_req_id: 'unknown' })).toMatchObject({ status: 401 });
    expect([await pings(mine.id), await pings(other.id)]).toEqual([0, 0]);
  });

  it('stays one after the end (R72)', async () => {
    const { id, token, authReqId } = await pending();
    await house.database.requests.change(id, { type: 'cancel', by: 'test' });
    expect(await statusOf(tell(token, { auth_req_id: `${authReqId}x` }))).toBe(401);
  });
});

describe('a body that nobody can read, under a token that fits', () => {
  const longName = 'x'.repeat(5000);
  it.each<[string, string, number]>([
    ['nothing', '', 400],
    ['no JSON', '{"auth_req_id":', 400],
    ['no object', '"id"', 400],
    ['a list', '[{"auth_req_id":"a"}]', 400],
    ['null', 'null', 400],
    ['no auth_req_id', '{}', 400],
    ['a number', '{"auth_req_id":7}', 400],
    ['an empty auth_req_id', '{"auth_req_id":""}', 400],
    ['a null auth_req_id', '{"auth_req_id":null}', 400],
    ['an auth_req_id with a control character', '{"auth_req_id":"a\\u0000b"}', 400],
    ['two of them', '{"auth_req_id":"a","auth_req_id":"b"}', 400],
    ['a prototype', '{"auth_req_id":"a","__proto__":{}}', 400],
    ['too deep', `{"auth_req_id":"a","x":${'['.repeat(100)}${']'.repeat(100)}}`, 400],
    ['too much', JSON.stringify({ auth_req_id: 'a', [longName]: 1 }), 413],
  ])('%s (R75, R81)', async (_what, body, status) => {
    const { id, token } = await started();
    expect(await statusOf(tell(token, body))).toBe(status);
    expect((await row(id)).status).toBe('requested');
  });

  it('a form (R71)', async () => {
    const { token } = await started();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await statusOf(tell(token, 'auth_req_id=a', headers))).toBe(415);
  });

  it('a body in pieces without an announced length, larger than a ping may be (R81)', async () => {
    const { token } = await started();
    const url = new URL(house.url);
    const socket = connect(Number(url.port), url.hostname);
    const chunk = JSON.stringify({ auth_req_id: 'a', more: 'x'.repeat(4096) });
    socket.write(
      `POST /v1/ciba/notifications HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
        `${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`,
    );
    let answer = '';
    for await (const part of socket) answer += String(part);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe('a ping that knows the auth_req_id before we do', () => {
  it('makes the request pending with it, for as long as was asked, and tells the pollers (R47)', async () => {
    const call = await started();
    expect(await statusOf(tell(call.token, { auth_req_id: 'from the ping' }))).toBe(204);
    expect(await row(call.id)).toEqual({ status: 'pending', reason: null, lifetime: 120, interval_seconds: 5 });
    expect(await events(call.id)).toEqual(expect.arrayContaining(['authorization.initiated', 'authorization.pinged']));
    const work = await house.database.requests.pending({ ids: [call.id] });
    expect(work.work[0]).toMatchObject({ authReqId: 'from the ping', sentAt: call.sentAt });
  });

  it('wins: the answer to the start call changes nothing afterwards, with the same id or another (R47)', async () => {
    const call = await started();
    await tell(call.token, { auth_req_id: 'first' });
    for (const later of ['first', 'second']) {
      expect(await acknowledge(call, later)).toMatchObject({ kind: 'refused', refusal: { refused: 'not_requested' } });
    }
    expect(await row(call.id)).toMatchObject({ status: 'pending', lifetime: 120 });
    expect(await statusOf(tell(call.token, { auth_req_id: 'second' }))).toBe(401);
  });

  it('rescues a request whose start answer was lost, while the rule may ask again (R47)', async () => {
    const id = await house.request(rules.ping);
    const lost = await attempt(id);
    await house.database.requests.closeAttempt(lost.attemptId, 'unknown');
    const second = await attempt(id);
    expect(await statusOf(tell(lost.token, { auth_req_id: `late ${id}` }))).toBe(204);
    expect(await row(id)).toMatchObject({ status: 'pending' });
    expect(await acknowledge({ id, ...second }, `second ${id}`)).toMatchObject({ kind: 'refused' });
  });

  it('cannot take the auth_req_id of another request', async () => {
    const [victim, call] = [await pending(), await started()];
    expect(await statusOf(tell(call.token, { auth_req_id: victim.authReqId }))).toBe(401);
    expect((await row(call.id)).status).toBe('requested');
  });

  it('comes at the very moment of the start answer: one of them makes the request pending', async () => {
    for (let round = 0; round < 20; round++) {
      const call = await started();
      const authReqId = randomUUID();
      const [, answer] = await Promise.all([
        acknowledge(call, authReqId),
        tell(call.token, { auth_req_id: authReqId }),
      ]);
      expect(answer.status).toBe(204);
      expect(await row(call.id)).toMatchObject({ status: 'pending' });
      expect(await pings(call.id)).toBe(1);
    }
  });
});

describe('what is stored', () => {
  it('is the hash of the token, in the commit before the call, and never the token (R17)', async () => {
    const { id, token } = await started();
    const [stored] = await house.query<{ fits: boolean; text: string }>(
      `select notification_token_sha256 = sha256(convert_to($2, 'UTF8')) as fits, a::text as text
       from start_attempts a where request_id = $1`,
      [id, token],
    );
    expect(stored!.fits).toBe(true);
    expect(stored!.text).not.toContain(token);
  });
});

describe('a push', () => {
  const tokens = { access_token: 'canary-access', token_type: 'Bearer', expires_in: 60, id_token: 'a.b.c' };
  const held = (id: string) =>
    house.query<{ text: string }>(`select encode(answer, 'escape') as text from held_answers where request_id = $1`, [
      id,
    ]);

  it('is stored, sealed, before it is answered, and told to the pollers (R82, R87)', async () => {
    const { id, token, authReqId } = await pending('push');
    expect(await statusOf(tell(token, { auth_req_id: authReqId, ...tokens }))).toBe(204);
    const [answer] = await held(id);
    expect(answer!.text).not.toContain('canary');
    expect(await pings(id)).toBe(1);
    const { work } = await house.database.requests.pending({ ids: [id] });
    expect(work[0]!.heldAnswer!.answer).toMatchObject({ accessToken: 'canary-access', idToken: 'a.b.c' });
  });

  it('keeps the first answer when another one follows (R82)', async () => {
    const { id, token, authReqId } = await pending('push');
    for (const id_token of ['first.b.c', 'second.b.c']) {
      expect(await statusOf(tell(token, { auth_req_id: authReqId, ...tokens, id_token }))).toBe(204);
    }
    const { work } = await house.database.requests.pending({ ids: [id] });
    expect(work[0]!.heldAnswer!.answer).toMatchObject({ idToken: 'first.b.c' });
    expect(await pings(id)).toBe(1);
  });

  it('may come before the start answer (R47)', async () => {
    const call = await started('push');
    expect(await statusOf(tell(call.token, { auth_req_id: `of ${call.id}`, ...tokens }))).toBe(204);
    expect(await row(call.id)).toMatchObject({ status: 'pending', lifetime: 90 });
    expect(await held(call.id)).toHaveLength(1);
  });

  it.each([
    ['access_denied', { status: 'denied', reason: null }],
    ['expired_token', { status: 'expired', reason: null }],
    ['transaction_failed', { status: 'failed', reason: 'provider_rejected' }],
    ['something_else', { status: 'failed', reason: 'provider_rejected' }],
  ])('of the error %s ends the request (R85)', async (error, expected) => {
    const { id, token, authReqId } = await pending('push');
    const body = { auth_req_id: authReqId, error, error_description: 'because' };
    expect(await statusOf(tell(token, body))).toBe(204);
    expect(await row(id)).toMatchObject(expected);
    expect(await statusOf(tell(token, body))).toBe(204);
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['tokens and an error', { ...tokens, error: 'access_denied' }],
    ['an error that is no text', { error: 7 }],
    ['an error that is empty', { error: '' }],
  ])('of %s is malformed (R82)', async (_what, body) => {
    const { id, token, authReqId } = await pending('push');
    expect(await statusOf(tell(token, { auth_req_id: authReqId, ...body }))).toBe(400);
    expect(await row(id)).toMatchObject({ status: 'pending' });
    expect(await pings(id)).toBe(0);
  });

  it('may be larger than a ping, and not without end', async () => {
    const { token, authReqId } = await pending('push');
    const of = (length: number) => ({ auth_req_id: authReqId, ...tokens, access_token: 'x'.repeat(length) });
    expect(await statusOf(tell(token, of(70_000)))).toBe(413);
    expect(await statusOf(tell(token, of(20_000)))).toBe(204);
  });

  it('with the wrong bearer is not looked at (R82)', async () => {
    const { id, authReqId } = await pending('push');
    expect(await statusOf(tell('wrong', { auth_req_id: authReqId, error: 'access_denied' }))).toBe(401);
    expect(await row(id)).toMatchObject({ status: 'pending' });
  });
});

describe('a push that comes after the end (R113)', () => {
  const accessToken = 'late-access-token';
  const claims = (authReqId: string) => ({
    at_hash: createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url'),
    'urn:openid:params:jwt:claim:auth_req_id': authReqId,
  });
  const pushed = async (authReqId: string, more: object = {}) => ({
    auth_req_id: authReqId,
    access_token: accessToken,
    token_type: 'Bearer',
    id_token: await provider.idToken({ ...claims(authReqId), ...more }),
  });
  const ended = async () => {
    const call = await pending('push');
    await house.database.requests.change(call.id, { type: 'cancel', by: 'test' });
    return call;
  };
  const late = async (id: string) =>
    (
      await house.query<{ status: string; evidence: object | null; late: { subject: string } | null; held: string }>(
        `select status, evidence, late_evidence as late, (select count(*) from held_answers where request_id = $1) as held
         from authorization_requests where id = $1`,
        [id],
      )
    )[0]!;

  it('is late evidence, once, and decides nothing (R113)', async () => {
    const { id, token, authReqId } = await ended();
    for (const sub of ['person-1', 'person-2']) {
      expect(await statusOf(tell(token, await pushed(authReqId, { sub })))).toBe(204);
    }
    const kept = {
      status: 'cancelled',
      evidence: null,
      held: '0',
      late: { issuer: provider.issuer, subject: 'person-1' },
    };
    expect(await late(id)).toMatchObject(kept);
    const timeline = await house.database.requests.timeline(id, null);
    expect(timeline!.map(({ type }) => type).filter((type) => type === 'late_evidence')).toHaveLength(1);
    expect(await events(id)).not.toContain('authorization.approved');
  });

  it('is late evidence too when the request ended before anybody knew its auth_req_id', async () => {
    const { id, token } = await started('push');
    const lost = { type: 'fail-start', attemptId: null, reason: 'initiation_unknown', providerError: null } as const;
    await house.database.requests.change(id, lost);
    expect(await statusOf(tell(token, await pushed('news')))).toBe(204);
    expect(await late(id)).toMatchObject({ status: 'failed', late: { subject: 'person-1' } });
  });

  it.each([
    ['for somebody else’s request', { 'urn:openid:params:jwt:claim:auth_req_id': 'another' }],
    ['from another issuer', { iss: 'https://elsewhere.example' }],
    ['with another access token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
  ])('is no evidence when its ID token is %s', async (_what, wrong) => {
    const { id, token, authReqId } = await ended();
    expect(await statusOf(tell(token, await pushed(authReqId, wrong)))).toBe(204);
    expect(await late(id)).toMatchObject({ status: 'cancelled', late: null, held: '0' });
  });

  it('is answered although its keys are not to be had, and is no evidence then', async () => {
    const { id, token, authReqId } = await ended();
    await provider.rotateKeys();
    const body = await pushed(authReqId);
    await provider.goAway();
    expect(await statusOf(tell(token, body))).toBe(204);
    expect(await late(id)).toMatchObject({ late: null, held: '0' });
    await provider.comeBack();
  });
});
