import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PollingHouse, type HouseRule } from '../../../test/support/polling-house.js';
import type { RecordedCall } from '../../../test/support/scripted-provider.js';

let house: PollingHouse;
const timeoutMs = 60_000;
const modes = { metadata: { backchannel_token_delivery_modes_supported: ['poll', 'ping', 'push'] } };

beforeAll(async () => {
  house = await PollingHouse.open();
  await house.startWorker();
  await house.startPoller();
}, timeoutMs);
afterAll(() => house.close(), timeoutMs);

const pollsOf = ({ provider }: HouseRule, authReqId: string): RecordedCall[] =>
  provider.calls('token').filter((call) => call.form.get('auth_req_id') === authReqId);

const ping = (id: string): Promise<boolean> => house.database.requests.noteNotification(id, null);

describe('the start call', () => {
  it.each(['ping', 'push'] as const)(
    'of a %s rule carries a token, whose hash alone is stored (R16, R17)',
    async (mode) => {
      const rule = await house.addRule(modes, { deliveryMode: mode });
      const { id } = await house.begin(rule);
      const token = rule.provider.calls('backchannel')[0]!.form.get('client_notification_token')!;
      expect(token).toMatch(/^[A-Za-z0-9_-]{64}$/);
      const hash = createHash('sha256').update(token).digest('hex');
      const stored = await house.query<{ hash: string }>(
        `select encode(notification_token_sha256, 'hex') as hash from start_attempts where request_id = $1`,
        [id],
      );
      expect(stored).toEqual([{ hash }]);
      expect(await house.database.requests.notified(token)).toMatchObject({ requestId: id, deliveryMode: mode });
      expect(await house.database.requests.notified(hash)).toBeNull();
    },
  );

  it('of every attempt carries another one, and both lead to the request (R17)', async () => {
    const rule = await house.addRule(modes, { deliveryMode: 'ping', onInitiationUnknown: 'ask-again' });
    rule.provider.on('backchannel', () => {
      rule.provider.off('backchannel');
      return { reset: true };
    });
    const { id } = await house.begin(rule);
    const tokens = rule.provider.calls('backchannel').map(({ form }) => form.get('client_notification_token')!);
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) expect(await house.database.requests.notified(token)).toMatchObject({ requestId: id });
  });

  it('of a poll rule carries none (R16)', async () => {
    const rule = await house.addRule(modes);
    await house.begin(rule);
    expect(rule.provider.calls('backchannel')[0]!.form.has('client_notification_token')).toBe(false);
  });
});

describe('a request that is going to be pinged', () => {
  it('is polled at once when the ping comes, long before its interval (R76)', async () => {
    const rule = await house.addRule({ ...modes, intervalSeconds: 100 }, { deliveryMode: 'ping' });
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId);
    await ping(id);
    expect((await house.ended(id)).status).toBe('approved');
    expect(pollsOf(rule, authReqId)).toHaveLength(1);
  });

  it('keeps its interval after that first poll, and polls no more for repeated pings (R77, R78)', async () => {
    const rule = await house.addRule({ ...modes, intervalSeconds: 2 }, { deliveryMode: 'ping' });
    const { id, authReqId } = await house.begin(rule);
    const first = rule.provider.nextCall('token');
    expect(await ping(id)).toBe(true);
    await first;
    expect(await Promise.all([ping(id), ping(id), ping(id)])).toEqual([false, false, false]);
    const [stored] = await house.query<{ event: never; routing_key: string }>(
      `select routing_key, event from outbox where event->>'subject' = $1 and routing_key = 'authorization.pinged'`,
      [id],
    );
    const again = { exchange: 'assent.authorizations', routingKey: stored!.routing_key, event: stored!.event } as const;
    for (let i = 0; i < 100; i++) await house.bus.publish(again);
    await rule.provider.nextCall('token');
    rule.provider.approve(authReqId);
    expect((await house.ended(id)).status).toBe('approved');
    const moments = pollsOf(rule, authReqId).map(({ receivedAtMs }) => receivedAtMs);
    expect(moments.length).toBeGreaterThanOrEqual(2);
    for (let i = 1; i < moments.length; i++) expect(moments[i]! - moments[i - 1]!).toBeGreaterThanOrEqual(1990);
  });

  it('is polled once more at once when the ping comes while a poll is in flight (R76)', async () => {
    const rule = await house.addRule({ ...modes, expiresInSeconds: 6, intervalSeconds: 100 }, { deliveryMode: 'ping' });
    const { id, authReqId } = await house.begin(rule);
    // The poll before the deadline is answered `pending`; on its way is already that there is an answer.
    rule.provider.on('token', async () => {
      rule.provider.off('token');
      rule.provider.approve(authReqId);
      await ping(id);
      return { status: 400, json: { error: 'authorization_pending' }, delayMs: 300 };
    });
    expect((await house.ended(id)).status).toBe('approved');
    expect(pollsOf(rule, authReqId)).toHaveLength(2);
  });

  it('is polled shortly before its deadline when no ping comes, and not before (R79)', async () => {
    const rule = await house.addRule({ ...modes, expiresInSeconds: 6, intervalSeconds: 1 }, { deliveryMode: 'ping' });
    const { id, authReqId } = await house.begin(rule);
    rule.provider.approve(authReqId);
    expect((await house.ended(id)).status).toBe('approved');
    const polls = pollsOf(rule, authReqId);
    expect(polls).toHaveLength(1);
    expect(polls[0]!.receivedAtMs - rule.provider.calls('backchannel')[0]!.receivedAtMs).toBeGreaterThan(3500);
  });

  it('is polled on its interval by an owner that comes after the ping and never hears of it', async () => {
    const other = await PollingHouse.open();
    try {
      await other.startWorker();
      const rule = await other.addRule({ ...modes, intervalSeconds: 1 }, { deliveryMode: 'ping' });
      const { id, authReqId } = await other.begin(rule);
      rule.provider.approve(authReqId);
      await other.query(`update authorization_requests set pinged_at = clock_timestamp() where id = $1`, [id]);
      await other.startPoller();
      expect((await other.ended(id)).status).toBe('approved');
      // Before the first fallback poll could have been made.
      const began = rule.provider.calls('backchannel')[0]!.receivedAtMs;
      expect(pollsOf(rule, authReqId)[0]!.receivedAtMs - began).toBeLessThan(30_000);
    } finally {
      await other.close();
    }
  });

  it('is polled no sooner for a hint that comes after the poll which the ping has led to (R77)', async () => {
    const other = await PollingHouse.open();
    try {
      await other.startWorker();
      const rule = await other.addRule({ ...modes, intervalSeconds: 2 }, { deliveryMode: 'ping' });
      const { id, authReqId } = await other.begin(rule);
      // Committed by somebody who died before he could publish it.
      await other.query(`update authorization_requests set pinged_at = clock_timestamp() where id = $1`, [id]);
      rule.provider.on('token', async () => {
        rule.provider.off('token');
        const [stored] = await other.query<{ event: never }>(
          `select event from outbox where event->>'subject' = $1 limit 1`,
          [id],
        );
        const event = { ...(stored!.event as object), type: 'assent.authorization.pinged.v1' } as never;
        await other.bus.publish({ exchange: 'assent.authorizations', routingKey: 'authorization.pinged', event });
        return null;
      });
      await other.startPoller();
      await rule.provider.nextCall('token');
      await rule.provider.nextCall('token');
      rule.provider.approve(authReqId);
      expect((await other.ended(id)).status).toBe('approved');
      const [first, second] = pollsOf(rule, authReqId).map(({ receivedAtMs }) => receivedAtMs);
      expect(second! - first!).toBeGreaterThanOrEqual(1990);
    } finally {
      await other.close();
    }
  });
});

describe('a request whose answer is pushed', () => {
  /** What a provider pushes when it does everything right, but for what is given. */
  async function pushedTo(
    rule: HouseRule,
    authReqId: string,
    over: Record<string, unknown> = {},
    refreshToken: string | null = null,
  ) {
    const accessToken = `access to ${authReqId}`;
    const half = (token: string) => createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url');
    const idToken = await rule.provider.idToken({
      sub: 'alice@example.com',
      at_hash: half(accessToken),
      'urn:openid:params:jwt:claim:auth_req_id': authReqId,
      ...(refreshToken !== null && { 'urn:openid:params:jwt:claim:rt_hash': half(refreshToken) }),
      ...over,
    });
    return {
      accessToken,
      tokenType: 'Bearer',
      expiresInSeconds: 60,
      scope: null,
      idToken,
      refreshToken,
      authorizationDetails: null,
    };
  }

  it.each([null, 'a refresh token'])(
    'is approved without a single poll; refresh token: %s (R83, R84, R86)',
    async (refreshToken) => {
      const rule = await house.addRule({ ...modes, intervalSeconds: 1 }, { deliveryMode: 'push' });
      const { id, authReqId } = await house.begin(rule);
      const answer = await pushedTo(rule, authReqId, {}, refreshToken);
      expect(await house.database.requests.noteNotification(id, answer)).toBe(true);
      expect((await house.ended(id)).status).toBe('approved');
      expect(rule.provider.calls('token')).toEqual([]);
      expect(await house.query(`select 1 from held_answers where request_id = $1`, [id])).toEqual([]);
    },
  );

  it.each<[string, Record<string, unknown>, string | null]>([
    ['no at_hash (R84)', { at_hash: undefined }, null],
    ['a wrong at_hash (R84)', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, null],
    ['no auth_req_id (R83)', { 'urn:openid:params:jwt:claim:auth_req_id': undefined }, null],
    ['another auth_req_id (R83)', { 'urn:openid:params:jwt:claim:auth_req_id': 'another' }, null],
    ['no rt_hash beside a refresh token (R84)', { 'urn:openid:params:jwt:claim:rt_hash': undefined }, 'refresh'],
    ['a wrong rt_hash (R84)', { 'urn:openid:params:jwt:claim:rt_hash': 'AAAAAAAAAAAAAAAAAAAAAA' }, 'refresh'],
    ['another audience', { aud: 'somebody-else' }, null],
  ])('fails with %s', async (_what, over, refreshToken) => {
    const rule = await house.addRule(modes, { deliveryMode: 'push' });
    const { id, authReqId } = await house.begin(rule);
    await house.database.requests.noteNotification(id, await pushedTo(rule, authReqId, over, refreshToken));
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
    expect(rule.provider.calls('token')).toEqual([]);
  });

  it('fails without an ID token (R83)', async () => {
    const rule = await house.addRule(modes, { deliveryMode: 'push' });
    const { id, authReqId } = await house.begin(rule);
    const answer = await pushedTo(rule, authReqId);
    await house.database.requests.noteNotification(id, { ...answer, idToken: null });
    expect(await house.ended(id)).toMatchObject({ status: 'failed', reason: 'invalid_evidence' });
  });

  it('expires at its deadline when nothing is pushed, and is never polled, not even after a take-over (R86)', async () => {
    const rule = await house.addRule({ ...modes, expiresInSeconds: 4, intervalSeconds: 1 }, { deliveryMode: 'push' });
    const { id } = await house.begin(rule);
    await house.query(`update poller_shards set unclean_takeover_at = clock_timestamp()`);
    expect((await house.ended(id)).status).toBe('expired');
    expect(rule.provider.calls('token')).toEqual([]);
  });

  it('is approved by the next sweep when the hint of the push was lost, long before its deadline', async () => {
    const other = await PollingHouse.open();
    try {
      await other.startWorker();
      await other.startPoller({ POLLER_SWEEP_SECONDS: 1 });
      const rule = await other.addRule({ ...modes, expiresInSeconds: 3600 }, { deliveryMode: 'push' });
      const { id, authReqId } = await other.begin(rule);
      await other.database.requests.holdAnswer(id, await pushedTo(rule, authReqId));
      expect((await other.ended(id)).status).toBe('approved');
      expect(rule.provider.calls('token')).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('is approved at the deadline when the hint of the push was lost', async () => {
    const rule = await house.addRule({ ...modes, expiresInSeconds: 4 }, { deliveryMode: 'push' });
    const { id, authReqId } = await house.begin(rule);
    await house.database.requests.holdAnswer(id, await pushedTo(rule, authReqId));
    expect((await house.ended(id)).status).toBe('approved');
    expect(rule.provider.calls('token')).toEqual([]);
  });
});
