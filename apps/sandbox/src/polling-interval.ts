import type { KoaContextWithOIDC } from 'oidc-provider';
import { CIBA_GRANT_TYPE } from './clients.js';

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

const TOLERANCE_MS = 150;
const SLOW_DOWN_MS = 5000;
const FORGET_AFTER_MS = 900_000;
const SWEEP_ABOVE_SIZE = 10_000;

interface Rhythm {
  lastPollMs: number;
  intervalMs: number;
}

/**
 * Gives oidc-provider the polling interval that it does not have: `interval` in the answer to the authentication
 * request, and `slow_down` for a poll that comes before the interval is over. Each `slow_down` lengthens the interval
 * by 5 s for the rest of this request (CIBA Core 1.0 §7.3, §11). The first poll may come at any time.
 */
export function pollingInterval(intervalSeconds: number, nowMs: () => number = () => performance.now()): Middleware {
  const rhythms = new Map<string, Rhythm>();
  const tooEarly = (authReqId: string): boolean => {
    const now = nowMs();
    if (rhythms.size > SWEEP_ABOVE_SIZE) forgetOld(rhythms, now);
    const rhythm = rhythms.get(authReqId) ?? { lastPollMs: -Infinity, intervalMs: intervalSeconds * 1000 };
    const early = now - rhythm.lastPollMs < rhythm.intervalMs - TOLERANCE_MS;
    rhythms.set(authReqId, {
      lastPollMs: now,
      intervalMs: rhythm.intervalMs + (early ? SLOW_DOWN_MS : 0),
    });
    return early;
  };

  return async (ctx, next) => {
    await next();
    const answer = ctx.body as { error?: string; auth_req_id?: string } | undefined;
    if (ctx.path === '/backchannel' && answer?.auth_req_id) {
      ctx.body = { ...answer, interval: intervalSeconds };
      return;
    }
    const { grant_type: grantType, auth_req_id: authReqId } = ctx.oidc?.params ?? {};
    if (grantType !== CIBA_GRANT_TYPE || typeof authReqId !== 'string') return;
    if (answer?.error !== 'authorization_pending') {
      rhythms.delete(authReqId);
    } else if (tooEarly(authReqId)) {
      ctx.body = { error: 'slow_down', error_description: 'polling more often than the interval allows' };
    }
  };
}

function forgetOld(rhythms: Map<string, Rhythm>, nowMs: number): void {
  for (const [authReqId, { lastPollMs }] of rhythms) {
    if (nowMs - lastPollMs > FORGET_AFTER_MS) rhythms.delete(authReqId);
  }
}
