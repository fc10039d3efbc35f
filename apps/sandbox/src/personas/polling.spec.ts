import { describe, expect, it } from '@jest/globals';
import { hostile } from './hostile.js';
import { personas } from './personas.js';
import { answerPoll, type PollState } from './polling.js';

const startedMs = 1_000_000;
const fresh: PollState = {
  expiresAtMs: startedMs + 120_000,
  intervalSeconds: 5,
  waitsSinceMs: startedMs,
  decision: 'none',
  redeemed: false,
};

const rulesOf = (name: string) => personas.find((persona) => persona.name === name)!.polling;

/** Polls at these seconds after the start; answers the verdicts. */
function verdicts(name: string, seconds: readonly number[], state: Partial<PollState> = {}): string[] {
  const rules = rulesOf(name);
  let current: PollState | null = { ...fresh, intervalSeconds: rules.intervalSeconds, ...state };
  return seconds.map((second) => {
    if (current === null) return rules.whenUnknown;
    const { verdict, change } = answerPoll(rules, current, startedMs + second * 1000);
    current = change && { ...current, ...change };
    return verdict;
  });
}

const pending = 'authorization_pending';

describe('a simulated', () => {
  it.each([...personas, hostile].map(({ name }) => name))('%s says pending to whoever keeps the interval', (name) => {
    const { intervalSeconds } = (name === 'hostile' ? hostile : personas.find((one) => one.name === name)!).polling;
    expect(verdicts(name === 'hostile' ? 'standard' : name, [intervalSeconds, 2 * intervalSeconds])).toEqual([
      pending,
      pending,
    ]);
  });

  it('keycloak hides a denial behind slow_down, and never raises its interval (Q17)', () => {
    expect(verdicts('keycloak', [1, 6, 11], { decision: 'denied' })).toEqual([
      'slow_down',
      'access_denied',
      'access_denied',
    ]);
  });

  it('keycloak forgets the request an interval and 10 s after its end (Q19)', () => {
    expect(verdicts('keycloak', [121])).toEqual(['expired_token']);
    expect(verdicts('keycloak', [136])).toEqual(['invalid_grant']);
  });

  it('duende begins the wait anew with each early poll, and forgets with the first denial (Q22)', () => {
    expect(verdicts('duende', [4, 8, 12, 17])).toEqual(['slow_down', 'slow_down', 'slow_down', pending]);
    expect(verdicts('duende', [5, 10], { decision: 'denied' })).toEqual(['access_denied', 'invalid_grant']);
  });

  it('wso2 adds 3 s for each early poll, and does not begin the wait anew (Q23)', () => {
    expect(verdicts('wso2', [1, 4, 5])).toEqual(['slow_down', 'slow_down', 'slow_down']);
    expect(verdicts('wso2', [1, 5])).toEqual(['slow_down', pending]);
    expect(verdicts('wso2', [2, 4], { decision: 'approved' })).toEqual(['tokens', 'invalid_request']);
  });

  it('auth0 says access_denied when the time is over (Q2)', () => {
    expect(verdicts('auth0', [121])).toEqual(['access_denied']);
  });

  it('pingone adds 5 s for good, by the book', () => {
    expect(verdicts('pingone', [1, 7, 22, 38])).toEqual(['slow_down', 'slow_down', pending, pending]);
  });
});
