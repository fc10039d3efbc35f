import { describe, expect, it } from '@jest/globals';
import type { Command, Evidence, Snapshot, Status } from '#lib/domain';
import type { ChangeResult } from '#lib/persistence';
import { perseveringUntil, silentLog } from '#lib/runtime';
import { ConcludeAuthentication, leavesTokensUnneeded } from './conclude-authentication.js';

const evidence: Evidence = {
  issuer: 'https://op.example',
  subject: 'alice',
  acr: null,
  amr: null,
  authTime: null,
  idTokenSha256: 'hash',
};
const approve: Command = {
  type: 'approve',
  evidence,
  grantedScope: 'openid',
  consumeWithinSeconds: 60,
  releasedToken: null,
  held: false,
  polls: 3,
};
const expire: Command = { type: 'expire', polls: 3 };
const current: Snapshot = { id: 'r1', status: 'pending', expiresAt: null, consumedAt: null, consumeBy: null };

/** Concludes with a database that answers so, one answer after the other; an error is thrown. */
function concluding(...answers: readonly (ChangeResult | Error)[]) {
  const asked: Command[] = [];
  const requests = {
    change: async (_id: string, command: Command): Promise<ChangeResult> => {
      const answer = answers[asked.push(command) - 1]!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const conclude = new ConcludeAuthentication(
    requests,
    perseveringUntil(new AbortController().signal, silentLog),
    silentLog,
  );
  return { conclude, asked };
}

describe('concluding', () => {
  it('repeats the commit, and only that, until the database answers', async () => {
    const { conclude, asked } = concluding(new Error('away'), new Error('still away'), { kind: 'gone' });
    expect(await conclude.run('r1', approve)).toBe('concluded');
    expect(asked).toEqual([approve, approve, approve]);
  });

  it('fails a request whose evidence serves another one', async () => {
    const { conclude, asked } = concluding({ kind: 'evidence-reused' }, { kind: 'gone' });
    expect(await conclude.run('r1', approve)).toBe('concluded');
    expect(asked[1]).toEqual({ type: 'fail', reason: 'invalid_evidence', providerError: null, fence: null, polls: 3 });
  });

  it('comes back when the deadline has not come by the database’s clock', async () => {
    const { conclude } = concluding({ kind: 'refused', refusal: { refused: 'not_due', lateEvidence: null }, current });
    expect(await conclude.run('r1', expire)).toBe('not-due');
  });

  it.each<[string, ChangeResult]>([
    ['somebody else owns the shard', { kind: 'fenced-out' }],
    ['the request is gone', { kind: 'gone' }],
    ['it has ended', { kind: 'refused', refusal: { refused: 'already_decided', lateEvidence: null }, current }],
  ])('is done when %s', async (_why, answer) => {
    const { conclude, asked } = concluding(answer);
    expect(await conclude.run('r1', expire)).toBe('concluded');
    expect(asked).toHaveLength(1);
  });
});

describe('the tokens behind an end (R136)', () => {
  const releasing: Command = {
    ...approve,
    releasedToken: { value: 't', tokenType: 'Bearer', expiresAt: null, scope: '' },
  };
  const invalid: Command = { type: 'fail', reason: 'invalid_evidence', providerError: null, fence: null, polls: 1 };
  const applied = (to: Status): ChangeResult => ({
    kind: 'applied',
    transition: { requestId: 'r1', from: 'pending', to, guard: 'none', fence: null, changes: {}, timeline: [] },
    stateVersion: 2,
  });
  const ended = (status: Status): ChangeResult => ({
    kind: 'refused',
    refusal: { refused: 'already_decided', lateEvidence: null },
    current: { ...current, status },
  });

  it.each<[string, Command, ChangeResult, boolean]>([
    ['an approval that releases none', approve, applied('approved'), true],
    ['an approval that releases one', releasing, applied('approved'), false],
    ['an approval that came late', releasing, applied('expired'), true],
    ['evidence that is not in order', invalid, applied('failed'), true],
    ['a request that was cancelled meanwhile', releasing, ended('cancelled'), true],
    ['a request that has released them already', releasing, ended('approved'), false],
    ['a request that was approved already and releases none', approve, ended('approved'), true],
    ['a request that has no end yet', approve, ended('requested'), false],
    ['a second answer to an approved request', invalid, ended('approved'), false],
    ['a shard of somebody else', approve, { kind: 'fenced-out' }, false],
    ['evidence that serves another request', approve, { kind: 'evidence-reused' }, false],
    ['a request that is gone', releasing, { kind: 'gone' }, false],
  ])('of %s', (_end, command, result, unneeded) => {
    expect(leavesTokensUnneeded(command, result)).toBe(unneeded);
  });
});
