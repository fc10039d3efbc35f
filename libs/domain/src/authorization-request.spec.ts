import { describe, expect, it } from '@jest/globals';
import {
  type Command,
  decide,
  type Evidence,
  type Fence,
  isRefusal,
  isTerminal,
  moves,
  outcomes,
  type Refusal,
  type RefusalCode,
  shardCount,
  shardOf,
  type Snapshot,
  type Status,
  statuses,
  type Transition,
} from './authorization-request.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const seconds = (count: number) => new Date(now.getTime() + count * 1000);

const evidence: Evidence = {
  issuer: 'https://op.example',
  subject: 'alice',
  acr: 'urn:example:gold',
  amr: ['hwk'],
  authTime: 1_772_366_390,
  idTokenSha256: 'hash',
};
const fence: Fence = { shard: 7, owner: 'poller-1', epoch: 3 };
const providerError = { code: 'access_denied', description: null };

/** A request in some status, with what that status implies; say only what the test is about. */
function aRequest(over: Partial<Snapshot> & { status: Status }): Snapshot {
  const asked = over.status !== 'requested';
  const approved = over.status === 'approved';
  return {
    id: '01890000-0000-7000-8000-0000000000ff',
    expiresAt: asked ? seconds(60) : null,
    consumedAt: null,
    consumeBy: approved ? seconds(60) : null,
    ...over,
  };
}

const commands = {
  acknowledge: {
    type: 'acknowledge',
    attemptId: 'attempt',
    authReqId: 'auth-req-id',
    sentAt: seconds(-2),
    expiresInSeconds: 120,
    intervalSeconds: 5,
  },
  'fail-start': { type: 'fail-start', attemptId: 'attempt', reason: 'provider_error', providerError: null },
  reword: { type: 'reword', attemptId: 'attempt', bindingMessage: 'Pay-alice', requestHash: 'hash' },
  'refuse-start': { type: 'refuse-start', attemptId: 'attempt', providerError },
  'give-up-start': { type: 'give-up-start' },
  approve: {
    type: 'approve',
    evidence,
    grantedScope: 'openid',
    consumeWithinSeconds: 300,
    releasedToken: null,
    held: false,
    polls: 2,
  },
  deny: { type: 'deny', providerError: null, polls: 2 },
  expire: { type: 'expire', polls: 2 },
  'provider-expired': { type: 'provider-expired', fence, polls: 2 },
  fail: { type: 'fail', reason: 'outcome_unknown', providerError: null, fence, polls: 2 },
  cancel: { type: 'cancel', by: 'client' },
  consume: { type: 'consume', by: 'client', key: 'key' },
} as const satisfies { [Type in Command['type']]: Extract<Command, { type: Type }> };

const legal = (answer: Transition | Refusal): Transition => {
  if (isRefusal(answer)) throw new Error(`refused: ${answer.refused}`);
  return answer;
};
const verdict = (answer: Transition | Refusal): Status | RefusalCode =>
  isRefusal(answer) ? answer.refused : answer.to;

// One row per command, one column per status: where it leads, or why it is refused. The deadline is ahead.
const over = 'already_decided';
type Row = readonly [Command['type'], ...(Status | RefusalCode)[]];
const table: readonly Row[] = [
  // command            requested      pending          approved        denied          expired         cancelled       failed
  ['acknowledge', 'pending', 'not_requested', over, over, over, over, over],
  ['fail-start', 'failed', 'not_requested', over, over, over, over, over],
  ['reword', 'requested', 'not_requested', over, over, over, over, over],
  ['refuse-start', 'denied', 'not_requested', over, over, over, over, over],
  ['give-up-start', 'expired', 'not_requested', over, over, over, over, over],
  ['approve', 'not_pending', 'approved', over, over, over, over, over],
  ['deny', 'not_pending', 'denied', over, over, over, over, over],
  ['expire', 'not_pending', 'not_due', over, over, over, over, over],
  ['provider-expired', 'not_pending', 'expired', over, over, over, over, over],
  ['fail', 'not_pending', 'failed', over, over, over, over, over],
  ['cancel', 'cancelled', 'cancelled', over, over, over, over, over],
  [
    'consume',
    'not_approved',
    'not_approved',
    'approved',
    'not_approved',
    'not_approved',
    'not_approved',
    'not_approved',
  ],
];
const cases = table.flatMap(([command, ...verdicts]) =>
  statuses.map((status, column) => ({ command, status, expected: verdicts[column]! })),
);

describe('every command in every status', () => {
  it('has a row for each command and a column for each status', () => {
    expect(table.map(([command]) => command).sort()).toEqual(Object.keys(commands).sort());
    for (const [, ...verdicts] of table) expect(verdicts).toHaveLength(statuses.length);
  });

  it.each(cases)('$command of a request that is $status: $expected', ({ command, status, expected }) => {
    const answer = decide(aRequest({ status }), commands[command], now);

    expect(verdict(answer)).toBe(expected);
  });

  it.each(cases)('$command of a request that is $status never leaves the table of moves', ({ command, status }) => {
    for (const at of [seconds(-3600), now, seconds(3600)]) {
      const answer = decide(aRequest({ status }), commands[command], at);
      if (isRefusal(answer)) continue;
      expect(answer.from).toBe(status);
      expect(answer.requestId).toBe('01890000-0000-7000-8000-0000000000ff');
      expect(answer.timeline).toHaveLength(1);
      if (answer.to !== answer.from) expect(moves[answer.from]).toContain(answer.to);
      else if (command === 'reword') expect(answer.from).toBe('requested');
      else expect([answer.from, answer.guard]).toEqual(['approved', 'consumable']);
    }
  });

  it.each(cases)('$command writes nothing of the person into the timeline ($status)', ({ command, status }) => {
    const answer = decide(aRequest({ status }), commands[command], now);
    if (isRefusal(answer)) return expect(answer.refused).toBeDefined();

    expect(JSON.stringify(answer.timeline)).not.toMatch(/alice|auth-req-id/);
  });
});

describe('the table of moves', () => {
  it('ends in the outcomes and nowhere else', () => {
    expect(statuses.filter(isTerminal)).toEqual([...outcomes]);
    expect(Object.keys(moves)).toEqual([...statuses]);
  });

  it('reaches approval only from a request that the provider acknowledged', () => {
    expect(statuses.filter((status) => (moves[status] as readonly Status[]).includes('approved'))).toEqual(['pending']);
  });
});

describe('the start of a request', () => {
  it('counts the deadline from when the call was sent, not from its answer', () => {
    const { changes } = legal(decide(aRequest({ status: 'requested' }), commands.acknowledge, now));

    expect(changes.sentAt).toEqual(seconds(-2));
    expect(changes.expiresAt).toEqual(seconds(118));
    expect(changes.intervalSeconds).toBe(5);
    expect(changes.authReqId).toBe('auth-req-id');
    expect(changes.closedAttempt).toEqual({ id: 'attempt', outcome: 'acknowledged' });
  });

  it('may go on with another text, which goes with its hash (R104)', () => {
    const { from, to, changes } = legal(decide(aRequest({ status: 'requested' }), commands.reword, now));

    expect([from, to]).toEqual(['requested', 'requested']);
    expect(changes).toEqual({
      bindingMessage: 'Pay-alice',
      requestHash: 'hash',
      closedAttempt: { id: 'attempt', outcome: 'refused' },
    });
  });

  it('closes the attempt as unknown when its answer never came', () => {
    const command: Command = { ...commands['fail-start'], reason: 'initiation_unknown' };
    const { changes } = legal(decide(aRequest({ status: 'requested' }), command, now));

    expect(changes.closedAttempt).toEqual({ id: 'attempt', outcome: 'unknown' });
    expect(changes.reason).toBe('initiation_unknown');
  });

  it('closes the attempt as failed on any other failure, and names the error', () => {
    const error = { code: 'invalid_scope', description: 'no' };
    const command: Command = { ...commands['fail-start'], reason: 'provider_rejected', providerError: error };
    const { changes, timeline } = legal(decide(aRequest({ status: 'requested' }), command, now));

    expect(changes.closedAttempt).toEqual({ id: 'attempt', outcome: 'failed' });
    expect(changes.providerError).toEqual(error);
    expect(timeline[0]!.detail).toEqual({ reason: 'provider_rejected', error: 'invalid_scope' });
  });

  it('closes no attempt when there was none', () => {
    const command: Command = { ...commands['fail-start'], attemptId: null };

    expect(legal(decide(aRequest({ status: 'requested' }), command, now)).changes.closedAttempt).toBeUndefined();
  });

  it("is a denial by the provider's policy when the provider refuses to ask", () => {
    const { changes } = legal(decide(aRequest({ status: 'requested' }), commands['refuse-start'], now));

    expect(changes.reason).toBe('provider_policy');
    expect(changes.providerError).toEqual(providerError);
    expect(changes.closedAttempt).toEqual({ id: 'attempt', outcome: 'refused' });
  });
});

describe('the deadline', () => {
  it.each([
    ['a millisecond before it', -1, 'approved', 'before-deadline'],
    ['exactly at it', 0, 'expired', 'after-deadline'],
    ['after it', 1, 'expired', 'after-deadline'],
  ])('an approval %s', (_, offsetMs, to, guard) => {
    const request = aRequest({ status: 'pending', expiresAt: new Date(now.getTime() - offsetMs) });
    const transition = legal(decide(request, commands.approve, now));

    expect([transition.to, transition.guard]).toEqual([to, guard]);
  });

  it('keeps evidence that came too late, and does not use it', () => {
    const transition = legal(decide(aRequest({ status: 'pending', expiresAt: now }), commands.approve, now));

    expect(transition.changes).toEqual({ lateEvidence: evidence });
    expect(transition.timeline[0]!.detail).toEqual({ lateApproval: true, polls: 2 });
  });

  it('does not approve a request without a deadline', () => {
    const transition = legal(decide(aRequest({ status: 'pending', expiresAt: null }), commands.approve, now));

    expect(transition.to).toBe('expired');
  });

  it('lets an answer that was held in time be verified after it', () => {
    const request = aRequest({ status: 'pending', expiresAt: seconds(-30) });
    const transition = legal(decide(request, { ...commands.approve, held: true }, now));

    expect([transition.to, transition.guard]).toEqual(['approved', 'held-before-deadline']);
  });

  it.each([
    ['a millisecond before it', -1, 'not_due'],
    ['exactly at it', 0, 'expired'],
    ['after it', 1, 'expired'],
  ])('an expiry %s', (_, offsetMs, expected) => {
    const request = aRequest({ status: 'pending', expiresAt: new Date(now.getTime() - offsetMs) });

    expect(verdict(decide(request, commands.expire, now))).toBe(expected);
  });

  it('is checked again by the database when a request expires', () => {
    const request = aRequest({ status: 'pending', expiresAt: now });

    expect(legal(decide(request, commands.expire, now)).guard).toBe('after-deadline');
  });
});

describe('the lease fences the right to ask, never the truth', () => {
  const pending = aRequest({ status: 'pending' });

  it.each([
    ['approve', null],
    ['deny', null],
    ['expire', null],
    ['provider-expired', fence],
    ['fail', fence],
  ] as const)('%s is fenced by %o', (command, expected) => {
    const request = command === 'expire' ? aRequest({ status: 'pending', expiresAt: now }) : pending;

    expect(legal(decide(request, commands[command], now)).fence).toEqual(expected);
  });

  it('fences an expiry that only the owner may declare', () => {
    const request = aRequest({ status: 'pending', expiresAt: now });

    expect(legal(decide(request, { type: 'expire', fence, polls: 2 }, now)).fence).toEqual(fence);
  });

  it('does not fence a failure that rests on evidence', () => {
    const command: Command = { ...commands.fail, reason: 'invalid_evidence', fence: null };

    expect(legal(decide(pending, command, now)).fence).toBeNull();
  });
});

describe('an approval', () => {
  it('carries its evidence, its scope and how long it may be consumed', () => {
    const { changes } = legal(decide(aRequest({ status: 'pending' }), commands.approve, now));

    expect(changes).toEqual({ evidence, grantedScope: 'openid', consumeWithinSeconds: 300 });
  });

  it('carries a token only when the rule releases it', () => {
    const releasedToken = { value: 'secret', tokenType: 'Bearer', expiresAt: null, scope: 'openid' };
    const transition = legal(decide(aRequest({ status: 'pending' }), { ...commands.approve, releasedToken }, now));

    expect(transition.changes.releasedToken).toEqual(releasedToken);
    expect(JSON.stringify(transition.timeline)).not.toContain('secret');
  });

  it.each(statuses.filter((status) => status !== 'pending'))('of a request that is %s is kept as late', (status) => {
    const answer = decide(aRequest({ status }), commands.approve, now);

    expect(answer).toMatchObject({ lateEvidence: evidence });
  });
});

describe('consuming', () => {
  it('sets nothing but who consumed, under a guard', () => {
    const transition = legal(decide(aRequest({ status: 'approved' }), commands.consume, now));

    expect(transition.changes).toEqual({ consumed: { by: 'client', key: 'key' } });
    expect(transition.guard).toBe('consumable');
  });

  it.each([
    ['consumed before', { consumedAt: seconds(-1) }, 'already_consumed'],
    ['consumed before and lapsed since', { consumedAt: seconds(-9), consumeBy: seconds(-1) }, 'already_consumed'],
    ['lapsed a moment ago', { consumeBy: seconds(-1) }, 'approval_lapsed'],
    ['lapsing right now', { consumeBy: now }, 'approval_lapsed'],
    ['without a time to consume in', { consumeBy: null }, 'approval_lapsed'],
  ] as const)('is refused for an approval %s', (_, state, expected) => {
    expect(verdict(decide(aRequest({ status: 'approved', ...state }), commands.consume, now))).toBe(expected);
  });
});

describe('the shard of a request', () => {
  it.each([
    ['01890000-0000-7000-8000-000000000000', 0],
    ['01890000-0000-7000-8000-00000000001f', 31],
    ['01890000-0000-7000-8000-0000000000ff', 255],
  ])('%s is %i', (id, shard) => {
    expect(shardOf(id)).toBe(shard);
    expect(shard).toBeLessThan(shardCount);
  });
});
