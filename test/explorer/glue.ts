/** Short decisions that production makes in passing; here under a name, so that a seeded bug can replace them. */
import type { PollOutcome } from '#lib/ciba';
import type { DeliveryMode, InitiationUnknownPolicy, Status } from '#lib/domain';
import type { Polled, Step } from '../../apps/poller/src/after-poll.js';
import { forgedToken } from './codes.js';
import type { State } from './state.js';

/** The version of the rule that the request was made under says what an unknown start answer means. */
export const policyOf = (state: State): InitiationUnknownPolicy => state.bounds.onInitiationUnknown;

/** Whether a request is taken in; `leaving` says how far its shard is given away (`ShardLeases.keeps`). */
export const mayAdmit = (leaving: number): boolean => leaving === 0;

/** Whether the time when an answer was stored counts, and not that of its verification; `stored` 1: in time. */
export const isHeld = (stored: number): boolean => stored === 1;

/** Whether tokens prove the approval of a prompt; what is pushed has to name it (CIBA Core 1.0 §10.3.1). */
export const proves = (token: number, authReqId: number, deliveryMode: DeliveryMode): boolean =>
  token !== forgedToken && (deliveryMode !== 'push' || token === authReqId);

/** Which text an attempt sends: the one that was read, or the one on record when it is opened (`open_attempts`). */
export const textToSend = (_read: number, onRecord: number): number => onRecord;

/** A caller may use what is approved and decided. */
export const mayConsume = ({ status, decided }: { readonly status: Status; readonly decided: boolean }): boolean =>
  status === 'approved' && decided;

/** Looks at every wait between two polls. @throws when it is shorter than the provider allows (I11) */
export function onWait(item: Polled, outcome: PollOutcome, step: Extract<Step, { kind: 'wait' }>, nowMs: number): void {
  const slowed = outcome.kind === 'slow-down' ? 5000 : 0;
  if (step.rhythm.intervalMs < item.intervalMs + slowed) throw new TooSoon('an interval shrank');
  const earliestMs = nowMs + item.intervalMs + slowed;
  if (step.atMs < earliestMs && step.atMs < item.deadlineMs) throw new TooSoon('a poll follows too soon');
}

export class TooSoon extends Error {}
