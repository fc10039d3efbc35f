/** Peculiarities of known providers (docs/providers.md) that show in the rhythm, by their numbers. */
import { describe, expect, it } from '@jest/globals';
import type { PollOutcome } from '#lib/ciba';
import { afterPoll, type Polled, type Step } from './after-poll.js';

const deadlineMs = 100_000;
const request: Polled = {
  intervalMs: 5000,
  spacingMs: 5000,
  deadlineMs,
  sentAtMs: 20_000,
  doubt: false,
  lost: false,
  takenOver: false,
  resolving: false,
  barred: false,
  failures: 0,
  polls: 4,
  fence: { shard: 7, owner: 'poller-1', epoch: 3 },
};

const concluded = (step: Step) => (step.kind === 'conclude' ? step.command : null);
const waits = (step: Step) => (step.kind === 'wait' ? step : null);
const slowDown = (more: Partial<Extract<PollOutcome, { kind: 'slow-down' }>> = {}): PollOutcome => ({
  kind: 'slow-down',
  retryAfterSeconds: null,
  intervalSeconds: null,
  ...more,
});

describe('the poller', () => {
  it('tells Auth0’s two meanings of access_denied apart by the clock (Q2)', () => {
    const denied: PollOutcome = { kind: 'denied', description: null, orExpired: true };
    expect(concluded(afterPoll(request, denied, deadlineMs - 1))).toMatchObject({ type: 'deny' });
    expect(concluded(afterPoll(request, denied, deadlineMs))).toMatchObject({ type: 'provider-expired' });
    const plain: PollOutcome = { kind: 'denied', description: null };
    expect(concluded(afterPoll(request, plain, deadlineMs))).toMatchObject({ type: 'deny' });
  });

  it('honours the longest of +5 s, Retry-After and the interval in the body (Q3)', () => {
    const atMs = (more: object) => waits(afterPoll(request, slowDown(more), 20_100))?.atMs;
    expect(atMs({})).toBe(20_100 + 10_000);
    expect(atMs({ retryAfterSeconds: 30, intervalSeconds: 20 })).toBe(20_100 + 30_000);
    expect(atMs({ retryAfterSeconds: 3, intervalSeconds: 20 })).toBe(20_100 + 20_000);
  });

  it('keeps the longer interval, and never polls without pause (Q42)', () => {
    const slowed = waits(afterPoll(request, slowDown(), 20_100))!;
    expect(slowed.rhythm.intervalMs).toBe(10_000);
    const next = { ...request, ...slowed.rhythm, spacingMs: 10_000, sentAtMs: slowed.atMs };
    const pending: PollOutcome = { kind: 'pending', retryAfterSeconds: null };
    expect(waits(afterPoll(next, pending, slowed.atMs + 100))?.atMs).toBe(slowed.atMs + 100 + 10_000);
  });

  it.each([
    ['Keycloak, which hides a final answer behind slow_down', 'Q17'],
    ['Duende, whose window begins anew with each early poll', 'Q22'],
  ])('is never early for %s: a whole interval after the answer (%s)', () => {
    const answeredAtMs = 21_900;
    expect(waits(afterPoll(request, { kind: 'pending', retryAfterSeconds: null }, answeredAtMs))?.atMs).toBe(
      answeredAtMs + 5000,
    );
  });

  it('asks nothing more after the first denial, which Duende forgets (Q22)', () => {
    expect(afterPoll(request, { kind: 'denied', description: null }, 20_100).kind).toBe('conclude');
  });

  it('reads invalid_grant after the end as expiry: Keycloak has forgotten the request (Q19)', () => {
    const gone: PollOutcome = { kind: 'invalid-grant', description: null };
    expect(concluded(afterPoll(request, gone, deadlineMs))).toMatchObject({ type: 'provider-expired' });
    expect(concluded(afterPoll(request, gone, deadlineMs - 1))).toMatchObject({
      type: 'fail',
      reason: 'provider_error',
    });
  });

  it('ends a request whose account is not set up with the provider’s own words (Q29)', () => {
    const gone: PollOutcome = { kind: 'invalid-grant', description: 'Account is not fully set up' };
    expect(concluded(afterPoll(request, gone, 20_100))).toMatchObject({
      type: 'fail',
      providerError: { code: 'invalid_grant', description: 'Account is not fully set up' },
    });
  });

  it('ends as unknown when WSO2 or Duende has used up an approval whose answer was lost (Q23)', () => {
    const gone: PollOutcome = { kind: 'invalid-grant', description: null };
    expect(concluded(afterPoll({ ...request, doubt: true }, gone, 20_100))).toMatchObject({
      reason: 'outcome_unknown',
    });
  });

  it('takes expired_token for expiry even where it means an unknown id (Q25)', () => {
    expect(concluded(afterPoll(request, { kind: 'expired' }, 20_100))).toMatchObject({ type: 'provider-expired' });
  });

  it.each(['invalid_request', 'unauthorized_client'])(
    'stops for good at %s, which some send to fast pollers (Q43)',
    (code) => {
      const refused: PollOutcome = { kind: 'refused', error: { code, description: null } };
      expect(concluded(afterPoll(request, refused, 20_100))).toMatchObject({ type: 'fail' });
    },
  );

  it('may follow an answer that took 20 s at once, without a pause to make up for (Q44)', () => {
    expect(waits(afterPoll(request, { kind: 'pending', retryAfterSeconds: null }, 40_000))?.atMs).toBe(40_000);
  });
});
