import { describe, expect, it } from '@jest/globals';
import type { TokenAnswer } from '#lib/ciba';
import type { Command } from '#lib/domain';
import { AnswersInHand } from './answers-in-hand.js';
import { DatabaseClock } from './database-clock.js';
import type { PendingAuthentication } from './pending-authentications.js';
import { invalidEvidence, type ArrivedAnswer } from './verify-answer.js';

const answer = { idToken: 'id-token' } as TokenAnswer;
const request = { requestId: 'r1', deadlineMs: 100_000, polls: 3 } as PendingAuthentication;
const approve = { type: 'approve' } as Command;

/** Answers whose keys are there, or not, as the commands say, one verification after the other. */
function inHand(...commands: readonly (Command | null)[]) {
  const verified: ArrivedAnswer[] = [];
  const stored: TokenAnswer[] = [];
  const concluded: Command[] = [];
  const revoked: TokenAnswer[] = [];
  const time = { nowMs: 0 };
  const answers = new AnswersInHand({
    verify: {
      run: async (_request, arrived) => commands[verified.push(arrived) - 1]!,
      hold: async (_requestId, held) => void stored.push(held),
    },
    conclude: {
      run: async (_requestId, command, onUnneededTokens) => {
        concluded.push(command);
        onUnneededTokens?.();
        return 'concluded';
      },
    },
    revoke: { begin: (_request, unneeded) => void revoked.push(unneeded) },
    requests: { pending: async () => ({ databaseNow: new Date(0), work: [], unreadable: [] }) },
    persevere: (_what, action) => action(),
    clock: new DatabaseClock(() => time.nowMs),
    nowMs: () => time.nowMs,
  });
  return { answers, time, verified, stored, concluded, revoked };
}

describe('tokens in hand', () => {
  it('lead to an end, and are revoked when they serve nobody', async () => {
    const { answers, stored, concluded, revoked } = inHand(approve);
    expect(await answers.judge(request, answer)).toBe('concluded');
    expect({ stored, concluded, revoked }).toEqual({ stored: [], concluded: [approve], revoked: [answer] });
  });

  it('are stored once while their keys are away, and judged again as those that came in time', async () => {
    const { answers, time, verified, stored, concluded } = inHand(null, null, approve);
    time.nowMs = 99_000;
    expect(await answers.judge(request, answer)).toBe('held');
    time.nowMs = 104_000;
    expect(await answers.judgeAgain(request)).toBe('held');
    time.nowMs = 109_000;
    expect(await answers.judgeAgain(request)).toBe('concluded');

    expect(stored).toEqual([answer]);
    expect(verified.map((arrived) => arrived.stored)).toEqual([null, 'in-time', 'in-time']);
    expect(verified.map(({ receivedAtMs }) => receivedAtMs)).toEqual([99_000, 99_000, 99_000]);
    expect(concluded).toEqual([approve]);
  });

  it('are late when they could be stored after the deadline only', async () => {
    const { answers, time, verified } = inHand(null, approve);
    time.nowMs = 100_000;
    await answers.judge(request, answer);
    await answers.judgeAgain(request);
    expect(verified[1]!.stored).toBe('late');
  });

  it('prove nothing once patience has ended', async () => {
    const { answers, time, concluded } = inHand(null, null);
    time.nowMs = 99_000;
    await answers.judge(request, answer);
    time.nowMs = 159_000;
    expect(await answers.judgeAgain(request)).toBe('concluded');
    expect(concluded).toEqual([invalidEvidence(request)]);
  });

  it('are not there when nothing was pushed', async () => {
    const { answers, verified } = inHand();
    expect(await answers.judgePushed(request)).toBeNull();
    expect(verified).toEqual([]);
  });
});
