import { describe, expect, it } from '@jest/globals';
import type { TokenAnswer } from '#lib/ciba';
import { lastPollMarginMs } from '#lib/domain';
import { afterPoll, atDeadline, resolutionWindowMs, type PollAnswer, type Polled, type Step } from './after-poll.js';

const deadlineMs = 100_000;
const fence = { shard: 7, owner: 'poller-1', epoch: 3 };

const aRequest = (more: Partial<Polled> = {}): Polled => ({
  intervalMs: 5000,
  spacingMs: 5000,
  deadlineMs,
  sentAtMs: 19_900,
  doubt: false,
  lost: false,
  takenOver: false,
  resolving: false,
  barred: false,
  failures: 0,
  polls: 4,
  fence,
  ...more,
});

const tokens: TokenAnswer = {
  accessToken: 'at',
  tokenType: 'Bearer',
  expiresInSeconds: 60,
  scope: null,
  idToken: 'id',
  refreshToken: null,
  authorizationDetails: null,
};

const outcomes = {
  pending: { kind: 'pending', retryAfterSeconds: null },
  'slow-down': { kind: 'slow-down', retryAfterSeconds: null, intervalSeconds: null },
  tokens: { kind: 'tokens', answer: tokens },
  denied: { kind: 'denied', description: 'no' },
  expired: { kind: 'expired' },
  'invalid-grant': { kind: 'invalid-grant', description: null },
  invalid_client: { kind: 'refused', error: { code: 'invalid_client', description: null } },
  unauthorized_client: { kind: 'refused', error: { code: 'unauthorized_client', description: null } },
  invalid_request: { kind: 'refused', error: { code: 'invalid_request', description: null } },
  'not-sent': { kind: 'not-sent', detail: '' },
  throttled: { kind: 'throttled', retryAfterSeconds: 1 },
  unavailable: { kind: 'unavailable', detail: '' },
  lost: { kind: 'lost', detail: '' },
  'client-refused': { kind: 'client-refused', pausedForMs: 600_000 },
} as const satisfies Record<string, PollAnswer>;

/** A step in a word; `?` = in doubt, `!` = only the owner may make it final. */
function word(step: Step): string {
  switch (step.kind) {
    case 'wait':
      return `${step.atMs < deadlineMs ? 'poll again' : 'await deadline'}${step.rhythm.doubt ? '?' : ''}`;
    case 'verify':
      return 'verify';
    case 'conclude': {
      const { command } = step;
      const fenced = 'fence' in command && command.fence ? '!' : '';
      return `${command.type}${command.type === 'fail' ? ` ${command.reason}` : ''}${fenced}`;
    }
  }
}

const again = 'poll again';
const doubtful = 'poll again?';
const wait = 'await deadline';
const waitInDoubt = 'await deadline?';
const unknown = 'fail outcome_unknown!';
const rejected = 'fail provider_rejected!';

// One row per answer. Before the deadline: plain, in doubt, taken over, both; after it: the same four.
const table: readonly (readonly [keyof typeof outcomes, ...string[]])[] = [
  ['pending', again, again, again, again, wait, wait, wait, wait],
  ['slow-down', again, again, again, again, wait, wait, wait, wait],
  ['tokens', 'verify', 'verify', 'verify', 'verify', 'verify', 'verify', 'verify', 'verify'],
  ['denied', 'deny', 'deny', 'deny', 'deny', 'deny', 'deny', 'deny', 'deny'],
  ['expired', ...Array<string>(8).fill('provider-expired!')],
  ['invalid-grant', 'fail provider_error!', unknown, unknown, unknown, 'provider-expired!', unknown, unknown, unknown],
  ['invalid_client', ...Array<string>(8).fill('fail configuration_error!')],
  ['unauthorized_client', ...Array<string>(8).fill('fail configuration_error!')],
  ['invalid_request', rejected, unknown, unknown, unknown, rejected, unknown, unknown, unknown],
  ['not-sent', again, doubtful, again, doubtful, wait, waitInDoubt, wait, waitInDoubt],
  ['throttled', again, doubtful, again, doubtful, wait, waitInDoubt, wait, waitInDoubt],
  ['unavailable', again, doubtful, again, doubtful, wait, waitInDoubt, wait, waitInDoubt],
  ['lost', doubtful, doubtful, doubtful, doubtful, waitInDoubt, waitInDoubt, waitInDoubt, waitInDoubt],
  ['client-refused', again, doubtful, again, doubtful, wait, waitInDoubt, wait, waitInDoubt],
];

const circumstances = [20_000, deadlineMs].flatMap((nowMs) =>
  [
    { doubt: false, takenOver: false },
    { doubt: true, takenOver: false },
    { doubt: false, takenOver: true },
    { doubt: true, takenOver: true },
  ].map((more) => ({ nowMs, ...more })),
);

const cases = table.flatMap(([name, ...expected]) =>
  circumstances.map((circumstance, i) => ({ name, ...circumstance, expected: expected[i]! })),
);

describe('the answer to a poll (R59)', () => {
  it.each(cases)('$name: doubt $doubt, taken over $takenOver, at $nowMs: $expected', (c) => {
    const item = aRequest({ doubt: c.doubt, takenOver: c.takenOver, sentAtMs: c.nowMs - 100 });
    expect(word(afterPoll(item, outcomes[c.name], c.nowMs))).toBe(c.expected);
  });

  // Nobody knows when a poll that we gave up reaches the provider: its answer may carry the tokens to nobody, and an
  // answer to a later poll that was faster says nothing about that.
  it.each([
    ['pending', 20_000, again],
    ['slow-down', 20_000, again],
    ['invalid-grant', 20_000, unknown],
    ['invalid-grant', deadlineMs, unknown],
  ] as const)('%s at %i after a poll that was given up: %s', (name, nowMs, expected) => {
    const lost = nextOf(afterPoll(aRequest(), outcomes.lost, 10_000));
    const later = nextOf(afterPoll(aRequest({ ...lost.rhythm }), outcomes.pending, 15_000));
    expect(later.rhythm.doubt).toBe(false);
    const item = aRequest({ ...later.rhythm, sentAtMs: nowMs - 100 });
    expect(word(afterPoll(item, outcomes[name], nowMs))).toBe(expected);
    expect(atDeadline(item)).toEqual({ kind: 'resolve' });
  });

  // The one poll that may still be made after the deadline, of a request that was taken over.
  it.each([
    ['pending', 'expire!'],
    ['slow-down', 'expire!'],
    ['tokens', 'verify'],
    ['denied', 'deny'],
    ['expired', 'provider-expired!'],
    ['invalid-grant', unknown],
    ['invalid_client', 'fail configuration_error!'],
    ['unauthorized_client', 'fail configuration_error!'],
    ['invalid_request', unknown],
    ['not-sent', unknown],
    ['throttled', unknown],
    ['unavailable', unknown],
    ['lost', unknown],
  ] as const)('%s decides a resolution poll after the deadline: %s', (name, expected) => {
    const item = aRequest({ takenOver: true, resolving: true, sentAtMs: deadlineMs + 50 });
    expect(word(afterPoll(item, outcomes[name], deadlineMs + 100))).toBe(expected);
  });

  it('hands on the polls made, the provider’s words and our right to ask', () => {
    expect(afterPoll(aRequest(), outcomes.denied, 20_000)).toEqual({
      kind: 'conclude',
      command: { type: 'deny', providerError: { code: 'access_denied', description: 'no' }, polls: 4 },
    });
    expect(afterPoll(aRequest({ doubt: true }), outcomes['invalid-grant'], 20_000)).toEqual({
      kind: 'conclude',
      command: {
        type: 'fail',
        reason: 'outcome_unknown',
        providerError: { code: 'invalid_grant', description: null },
        fence,
        polls: 4,
      },
    });
    expect(afterPoll(aRequest(), outcomes.tokens, 20_000)).toEqual({ kind: 'verify', answer: tokens });
  });
});

const nextOf = (step: Step) => {
  if (step.kind !== 'wait') throw new Error(step.kind);
  return step;
};

describe('the rhythm', () => {
  const now = 20_000;
  const next = (outcome: PollAnswer, more: Partial<Polled> = {}, nowMs = now) =>
    nextOf(afterPoll(aRequest(more), outcome, nowMs));

  it('waits one interval after the answer', () => {
    expect(next(outcomes.pending)).toMatchObject({ atMs: now + 5000, rhythm: { intervalMs: 5000, failures: 0 } });
  });

  it('goes on at once after an answer that was held for longer than any way takes, and an interval', () => {
    expect(next(outcomes.pending, { sentAtMs: now - 15_000 }).atMs).toBe(now);
    expect(next(outcomes.pending, { sentAtMs: now - 5000 }).atMs).toBe(now + 5000);
  });

  it('lets a longer Retry-After win, and not a shorter one (R56)', () => {
    expect(next({ kind: 'pending', retryAfterSeconds: 12 }).atMs).toBe(now + 12_000);
    expect(next({ kind: 'pending', retryAfterSeconds: 2 }).atMs).toBe(now + 5000);
    expect(next({ kind: 'throttled', retryAfterSeconds: 30 }).atMs).toBe(now + 30_000);
    expect(next({ kind: 'slow-down', retryAfterSeconds: 30, intervalSeconds: null }).atMs).toBe(now + 30_000);
  });

  it('adds five seconds for good at each slow_down, or more when the provider names more (R55)', () => {
    const first = next(outcomes['slow-down']);
    expect(first).toMatchObject({ atMs: now + 10_000, rhythm: { intervalMs: 10_000 } });
    expect(next(outcomes.pending, { intervalMs: 10_000, spacingMs: 10_000 }).rhythm.intervalMs).toBe(10_000);
    const named: PollAnswer = { kind: 'slow-down', retryAfterSeconds: null, intervalSeconds: 25 };
    expect(next(named)).toMatchObject({ atMs: now + 25_000, rhythm: { intervalMs: 25_000 } });
  });

  it('does not take a slow answer for a reason to hurry when the provider says slow_down', () => {
    expect(next(outcomes['slow-down'], { sentAtMs: now - 15_000 }).atMs).toBe(now + 10_000);
  });

  it('keeps the stretch of a provider whose rate does not suffice', () => {
    expect(next(outcomes.pending, { spacingMs: 8000 }).atMs).toBe(now + 8000);
    expect(next(outcomes['slow-down'], { spacingMs: 8000 }).atMs).toBe(now + 13_000);
  });

  it('backs off without an answer, doubling, and calms down with one (R64)', () => {
    expect(next(outcomes['not-sent'])).toMatchObject({ atMs: now + 5000, rhythm: { failures: 1 } });
    expect(next(outcomes['not-sent'], { failures: 1 })).toMatchObject({ atMs: now + 10_000, rhythm: { failures: 2 } });
    expect(next(outcomes.lost, { failures: 2 })).toMatchObject({ atMs: now + 20_000, rhythm: { failures: 3 } });
    expect(next(outcomes.pending, { failures: 3 }).rhythm.failures).toBe(0);
  });

  it('moves the last poll towards the deadline, and adds none after it', () => {
    const lastMs = deadlineMs - lastPollMarginMs;
    expect(next(outcomes.pending, { sentAtMs: 90_900 }, 91_000).atMs).toBe(lastMs);
    expect(next(outcomes.pending, { sentAtMs: 98_900 }, 99_000).atMs).toBe(deadlineMs);
    expect(next(outcomes.lost, { sentAtMs: 98_900 }, 99_000)).toMatchObject({
      atMs: deadlineMs,
      rhythm: { doubt: true },
    });
  });

  it('keeps the rhythm for the resolution poll, within its window', () => {
    const takenOver = { takenOver: true, sentAtMs: 98_900 };
    expect(next(outcomes.pending, takenOver, 99_000).atMs).toBe(104_000);
    expect(next({ kind: 'pending', retryAfterSeconds: 500 }, takenOver, 99_000).atMs).toBe(
      deadlineMs + resolutionWindowMs,
    );
  });

  it('never asks sooner than an interval for it, however long that is', () => {
    const slow = { takenOver: true, sentAtMs: 98_900, intervalMs: 40_000, spacingMs: 40_000 };
    expect(next(outcomes.pending, slow, 99_000).atMs).toBe(139_000);
    expect(next({ kind: 'pending', retryAfterSeconds: 500 }, slow, 99_000).atMs).toBe(139_000);
    expect(next(outcomes['slow-down'], slow, 99_000).atMs).toBe(144_000);
    expect(next(outcomes.unavailable, { ...slow, failures: 5 }, 99_000).atMs).toBeGreaterThanOrEqual(139_000);
  });
});

describe('the deadline', () => {
  it('expires a request that nothing is unknown about', () => {
    expect(atDeadline(aRequest())).toEqual({ kind: 'conclude', command: { type: 'expire', fence, polls: 4 } });
  });

  it.each([
    ['a lost answer', { doubt: true }],
    ['a lost answer after a take-over', { doubt: true, takenOver: true }],
    ['a resolution poll that never got its turn', { takenOver: true, resolving: true }],
  ])('ends %s as unknown, never as expired', (_what, more) => {
    const step = atDeadline(aRequest(more));
    expect(step.kind === 'resolve' ? step.kind : word(step)).toBe(unknown);
  });

  it('asks once more about a request that was taken over from an owner that died', () => {
    expect(atDeadline(aRequest({ takenOver: true }))).toEqual({ kind: 'resolve' });
  });
});

describe('a request whose client the provider refuses (R62)', () => {
  it('looks again soon, however long the pause, but not more often than it would poll, nor after the deadline', () => {
    const at = (nowMs: number, pausedForMs: number, spacingMs: number) => {
      const step = afterPoll(aRequest({ spacingMs }), { kind: 'client-refused', pausedForMs }, nowMs);
      return step.kind === 'wait' ? step.atMs : null;
    };
    expect([at(20_000, 300, 1000), at(20_000, 3000, 1000), at(20_000, 600_000, 1000)]).toEqual([
      21_000, 23_000, 25_000,
    ]);
    expect([at(20_000, 600_000, 8000), at(99_000, 600_000, 8000)]).toEqual([28_000, deadlineMs]);
  });

  it('keeps its interval and what is in doubt, and is barred until a poll is made', () => {
    const item = aRequest({ intervalMs: 10_000, doubt: true, failures: 2 });
    const barred = afterPoll(item, outcomes['client-refused'], 20_000);
    expect(barred).toMatchObject({ rhythm: { intervalMs: 10_000, doubt: true, failures: 2, barred: true } });
    const polled = afterPoll(aRequest({ barred: true }), outcomes.pending, 20_000);
    expect(polled).toMatchObject({ rhythm: { barred: false } });
  });

  it('fails at the deadline: nobody could be asked whether the person answered', () => {
    expect(word(atDeadline(aRequest({ barred: true })) as Step)).toBe('fail configuration_error!');
    expect(word(atDeadline(aRequest({ barred: true, doubt: true })) as Step)).toBe(unknown);
  });

  it('is unknown when the one poll that was left could not be made', () => {
    const item = aRequest({ resolving: true, takenOver: true });
    expect(word(afterPoll(item, outcomes['client-refused'], deadlineMs))).toBe(unknown);
  });
});
