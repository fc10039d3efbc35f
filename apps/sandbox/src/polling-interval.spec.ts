import { expect, it } from '@jest/globals';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { CIBA_GRANT_TYPE } from './clients.js';
import { pollingInterval } from './polling-interval.js';

const PENDING = 'authorization_pending';

/** A provider that answers every poll with the same error, on a clock that the test moves. */
function aProvider(intervalSeconds: number) {
  const clock = { nowMs: 0 };
  const middleware = pollingInterval(intervalSeconds, () => clock.nowMs);
  return async (atMs: number, answer: string = PENDING, authReqId = 'a'): Promise<string> => {
    clock.nowMs = atMs;
    const params = { grant_type: CIBA_GRANT_TYPE, auth_req_id: authReqId };
    const ctx = { path: '/token', oidc: { params }, body: { error: answer } };
    await middleware(ctx as unknown as KoaContextWithOIDC, async () => undefined);
    return ctx.body.error;
  };
}

it('lets the first poll and every patient one through', async () => {
  const poll = aProvider(2);
  expect([await poll(0), await poll(2000), await poll(4000)]).toEqual([PENDING, PENDING, PENDING]);
});

it('tolerates a poll that is a little early', async () => {
  const poll = aProvider(2);
  expect([await poll(0), await poll(1860), await poll(3600)]).toEqual([PENDING, PENDING, 'slow_down']);
});

it('lengthens the interval by 5 s with every slow_down', async () => {
  const poll = aProvider(2);
  expect([await poll(0), await poll(100), await poll(6000), await poll(17_000), await poll(33_000)]).toEqual([
    PENDING,
    'slow_down',
    'slow_down',
    'slow_down',
    'slow_down',
  ]);
  expect(await poll(55_000)).toBe(PENDING);
});

it('holds every request to a rhythm of its own', async () => {
  const poll = aProvider(2);
  expect([await poll(0), await poll(1, PENDING, 'b')]).toEqual([PENDING, PENDING]);
});

it('leaves every other answer alone', async () => {
  const poll = aProvider(2);
  expect([await poll(0), await poll(1, 'access_denied'), await poll(2, 'expired_token')]).toEqual([
    PENDING,
    'access_denied',
    'expired_token',
  ]);
});

it('tells the client the interval', async () => {
  const ctx = { path: '/backchannel', body: { auth_req_id: 'a', expires_in: 120 } };
  await pollingInterval(3)(ctx as unknown as KoaContextWithOIDC, async () => undefined);
  expect(ctx.body).toEqual({ auth_req_id: 'a', expires_in: 120, interval: 3 });
});
