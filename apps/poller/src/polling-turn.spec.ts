import { describe, expect, it } from '@jest/globals';
import { resolutionWindowMs } from './after-poll.js';
import {
  admissionOf,
  leavesDoubt,
  pollsEndMs,
  resolutionPollMs,
  turnOf,
  type DueRequest,
  type Turn,
} from './polling-turn.js';

const deadlineMs = 100_000;
const aRequest = (more: Partial<DueRequest> = {}): DueRequest => ({
  phase: 'waiting',
  deliveryMode: 'poll',
  deadlineMs,
  resolving: false,
  ...more,
});

describe('the moment of a pending request', () => {
  const before = deadlineMs - 1;
  const inWindow = deadlineMs + resolutionWindowMs - 1;
  const cases: readonly [string, DueRequest, number, Turn][] = [
    ['waiting', aRequest(), before, 'make-ready'],
    ['waiting for a ping', aRequest({ deliveryMode: 'ping' }), before, 'make-ready'],
    ['ready', aRequest({ phase: 'ready' }), before, 'keep-ready'],
    ['waiting at its deadline', aRequest(), deadlineMs, 'decide'],
    ['ready at its deadline', aRequest({ phase: 'ready' }), deadlineMs, 'decide'],
    ['waiting for its resolution poll', aRequest({ resolving: true }), inWindow, 'make-ready'],
    ['ready for its resolution poll', aRequest({ resolving: true, phase: 'ready' }), inWindow, 'keep-ready'],
    ['after its window', aRequest({ resolving: true }), inWindow + 1, 'decide'],
    [
      'taken over an hour after its deadline',
      aRequest({ resolving: true, resolvingUntilMs: deadlineMs + 3_600_000 + resolutionWindowMs }),
      deadlineMs + 3_600_000,
      'make-ready',
    ],
    ['held', aRequest({ phase: 'held' }), before, 'verify-held'],
    ['held after its deadline', aRequest({ phase: 'held' }), inWindow, 'verify-held'],
    ['waiting for a push', aRequest({ deliveryMode: 'push' }), before, 'look-for-push'],
    ['waiting for a push at its deadline', aRequest({ deliveryMode: 'push' }), deadlineMs, 'look-for-push'],
  ];

  it.each(cases)('%s', (_what, request, nowMs, expected) => {
    expect(turnOf(request, true, nowMs)).toBe(expected);
    expect(turnOf(request, false, nowMs)).toBe('look-again');
  });
});

describe('the resolution poll', () => {
  it('waits until the deadline has passed by the database’s clock, ours being ahead', () => {
    expect(resolutionPollMs(deadlineMs, deadlineMs, 250)).toBe(deadlineMs + 250);
    expect(resolutionPollMs(deadlineMs, deadlineMs + 900, 250)).toBe(deadlineMs + 900);
  });

  it('has a window after the deadline; other polls have none', () => {
    expect(pollsEndMs(aRequest())).toBe(deadlineMs);
    expect(pollsEndMs(aRequest({ resolving: true }))).toBe(deadlineMs + resolutionWindowMs);
  });
});

describe('taking a request in', () => {
  it.each([
    ['poll', false, false, { takenOver: false, first: 'poll' }],
    ['poll', false, true, { takenOver: true, first: 'poll' }],
    ['ping', true, true, { takenOver: true, first: 'judge-held' }],
    ['push', false, true, { takenOver: false, first: 'await-push' }],
    ['push', true, true, { takenOver: false, first: 'judge-held' }],
  ] as const)(
    'by %s, held %s, after an owner that may have lost an answer %s',
    (deliveryMode, held, lost, expected) => {
      expect(admissionOf({ deliveryMode, held }, lost)).toEqual(expected);
    },
  );
});

describe('giving a shard away', () => {
  it.each([
    ['waiting', false, false],
    ['ready', false, false],
    ['held', false, false],
    ['busy', false, true],
    ['waiting', true, true],
  ] as const)('with a request that is %s, in doubt %s, leaves doubt: %s', (phase, doubt, expected) => {
    expect(leavesDoubt({ phase, doubt })).toBe(expected);
  });
});
