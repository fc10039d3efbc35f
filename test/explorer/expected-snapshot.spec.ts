/**
 * A change begins with the request as the command expects it, and not with a reading. That adds nothing to the orders of
 * events that the explorer goes through, where every change reads first, as long as the following holds: a transition
 * that was decided upon what was expected, and that passes, is the one that a reading at that moment would have led to.
 */
import { describe, expect, it } from '@jest/globals';
import { decide, expectedSnapshot, isRefusal, statuses, type Command, type Snapshot } from '#lib/domain';
import { passes, type LockedRow } from './statements.js';

const id = '00000000-0000-7000-8000-000000000001';
const fence = { shard: 1, owner: 'poller', epoch: 3 };
const evidence = { issuer: 'i', subject: 's', acr: null, amr: null, authTime: null, idTokenSha256: 'h' };
const approve = { type: 'approve', evidence, grantedScope: 'openid', consumeWithinSeconds: 300, polls: 2 } as const;
const error = { code: 'access_denied', description: null };
const released = { value: 'v', tokenType: 'Bearer', expiresAt: null, scope: 'openid' };

/** Every command, in every form that makes a difference. */
const commands: readonly Command[] = [
  {
    type: 'acknowledge',
    attemptId: 'a',
    authReqId: 'x',
    sentAt: new Date(50),
    expiresInSeconds: 120,
    intervalSeconds: 5,
  },
  { type: 'fail-start', attemptId: 'a', reason: 'provider_error', providerError: null },
  { type: 'fail-start', attemptId: null, reason: 'initiation_unknown', providerError: error },
  { type: 'reword', attemptId: 'a', bindingMessage: 'm', requestHash: 'h' },
  { type: 'refuse-start', attemptId: 'a', providerError: error },
  { type: 'give-up-start' },
  { ...approve, releasedToken: null, held: false },
  { ...approve, releasedToken: released, held: false },
  { ...approve, releasedToken: null, held: true },
  { type: 'deny', providerError: error, polls: 2 },
  { type: 'expire', fence, polls: 2 },
  { type: 'expire', polls: 2 },
  { type: 'provider-expired', fence, polls: 2 },
  { type: 'fail', reason: 'provider_error', providerError: error, fence, polls: 2 },
  { type: 'fail', reason: 'outcome_unknown', providerError: null, fence: null, polls: 2 },
  { type: 'cancel', by: 'shop' },
  { type: 'consume', by: 'shop', key: null },
];

const now = new Date(1_000_000);
const past = new Date(900_000);
const future = new Date(1_100_000);

const rows: LockedRow[] = statuses.flatMap((status) =>
  [null, past, now, future].flatMap((expiresAt) =>
    [null, past].flatMap((consumedAt) =>
      [null, past, now, future].flatMap((consumeBy) =>
        [null, new Date(past.getTime() - 1), new Date(future.getTime() - 1)].flatMap((heldAt) =>
          [true, false].map((attemptOpen) => ({ status, expiresAt, consumedAt, consumeBy, heldAt, attemptOpen })),
        ),
      ),
    ),
  ),
);

const shards = [fence, { owner: 'another', epoch: 4 }, { owner: null, epoch: 3 }];

describe('what a command expects of a request', () => {
  it.each(commands)('lets $type be decided, and passes only where a reading would have said the same', (command) => {
    const expected = expectedSnapshot(id, command);
    const transition = decide(expected.snapshot, command, expected.now);
    if (isRefusal(transition)) throw new Error(`"${command.type}" refuses what it expects.`);
    let passed = 0;
    for (const row of rows) {
      for (const shard of shards) {
        if (!passes(row, transition, shard, now)) continue;
        passed++;
        const read: Snapshot = { id, ...row };
        expect(decide(read, command, now)).toEqual(transition);
      }
    }
    expect(passed).toBeGreaterThan(0);
  });

  it('is known for every command', () => {
    const types = new Set(commands.map(({ type }) => type));
    // A command that is added without a line here does not compile into the record of expectations, nor passes this.
    expect(types.size).toBe(12);
  });
});
