/** What is done about a pending request when its moment has come: pure functions that the schedule follows. */

import type { DeliveryMode } from '#lib/domain';
import { resolutionWindowMs } from './after-poll.js';
import type { Phase } from './pending-authentications.js';

/** What the next move of a request depends on; moments are ms on the monotonic clock. */
export interface DueRequest {
  readonly phase: Phase;
  readonly deliveryMode: DeliveryMode;
  readonly deadlineMs: number;
  /** The deadline has passed, and one poll may still be made. */
  readonly resolving: boolean;
  /** Until when; absent: until the window after the deadline closes. */
  readonly resolvingUntilMs?: number | undefined;
}

/** What a moment is for. */
export type Turn =
  /** We have no right to ask just now. */
  | 'look-again'
  /** An answer is stored, and its keys may be there by now. */
  | 'verify-held'
  /** It is never polled for: its answer has been pushed by now, or never will be. */
  | 'look-for-push'
  /** The deadline decides. */
  | 'decide'
  /** Its poll is due already, and its provider's queue has not moved. */
  | 'keep-ready'
  /** Its poll is due. */
  | 'make-ready';

/**
 * Until when a poll may go out: the deadline, or the window for a resolution poll. That window opens when the poll may go
 * out and not with the deadline, which a process that comes back after an hour finds long past.
 */
export const pollsEndMs = ({
  deadlineMs,
  resolving,
  resolvingUntilMs,
}: Pick<DueRequest, 'deadlineMs' | 'resolving' | 'resolvingUntilMs'>): number =>
  resolving ? (resolvingUntilMs ?? deadlineMs + resolutionWindowMs) : deadlineMs;

/**
 * When the resolution poll of a request may go out. By the database's clock too its deadline must have passed by then:
 * what "pending" says before the deadline says nothing about the moments that are left of it.
 */
export const resolutionPollMs = (deadlineMs: number, nowMs: number, clockAheadMs: number): number =>
  Math.max(nowMs, deadlineMs + clockAheadMs);

/** Decides what a request's moment is for. */
export function turnOf(request: DueRequest, maySend: boolean, nowMs: number): Turn {
  if (!maySend) return 'look-again';
  if (request.phase === 'held') return 'verify-held';
  if (request.deliveryMode === 'push') return 'look-for-push';
  if (nowMs >= pollsEndMs(request)) return 'decide';
  return request.phase === 'ready' ? 'keep-ready' : 'make-ready';
}

/** How a request is taken in. */
export interface Admission {
  /** An answer may have been lost to an owner before us. */
  readonly takenOver: boolean;
  readonly first: 'judge-held' | 'await-push' | 'poll';
}

/** Decides how a pending request is taken in; `mayHaveLostAnswer` says how the owner before us has ended. */
export const admissionOf = (
  work: { readonly deliveryMode: DeliveryMode; readonly held: boolean },
  mayHaveLostAnswer: boolean,
): Admission => ({
  // What is pushed is never polled for: no owner before us can have lost an answer.
  takenOver: work.deliveryMode !== 'push' && mayHaveLostAnswer,
  first: work.held ? 'judge-held' : work.deliveryMode === 'push' ? 'await-push' : 'poll',
});

/** Whether a shard with this request in it must be released as one whose next owner has to doubt. */
export const leavesDoubt = (request: { readonly phase: Phase; readonly doubt: boolean }): boolean =>
  request.phase === 'busy' || request.doubt;
