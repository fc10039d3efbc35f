import type { Command, Snapshot, Status } from './authorization-request.js';

/** The status that a command is usually about; `cancel` may meet either of the two that can be cancelled. */
const expectedStatus = {
  acknowledge: 'requested',
  'fail-start': 'requested',
  reword: 'requested',
  'refuse-start': 'requested',
  'give-up-start': 'requested',
  approve: 'pending',
  deny: 'pending',
  expire: 'pending',
  'provider-expired': 'pending',
  fail: 'pending',
  cancel: 'pending',
  consume: 'approved',
} as const satisfies Record<Command['type'], Status>;

const longAgo = new Date(0);
const now = new Date(1);
const later = new Date(2);

/**
 * The request as a command expects it: a snapshot, and a time, under which `decide` answers the transition that the
 * command is meant to cause. Nothing was read for it.
 *
 * It may be put to the database instead of a snapshot that was read, because a transition carries whatever it depends
 * on, as `from`, `guard` and `fence`: where it passes, `decide` would have said the same of the row as it is; where it
 * does not, nothing happens, and the answer tells how the row is.
 */
export function expectedSnapshot(requestId: string, command: Command): { snapshot: Snapshot; now: Date } {
  const status = expectedStatus[command.type];
  return {
    snapshot: {
      id: requestId,
      status,
      expiresAt: status === 'requested' ? null : command.type === 'expire' ? longAgo : later,
      consumedAt: null,
      consumeBy: status === 'approved' ? later : null,
    },
    now,
  };
}
