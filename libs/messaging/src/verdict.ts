import { GiveUp, Malformed, messageOf } from './failures.js';

/** What becomes of a message whose handler failed. */
export type Verdict =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string }
  | { readonly kind: 'dead'; readonly reason: string };

/** Decides after the failure of attempt number `attempt` (from 1): one retry per delay, then the dead queue. */
export function judge(thrown: unknown, attempt: number, retryDelaysMs: readonly number[]): Verdict {
  const reason = messageOf(thrown);
  if (thrown instanceof GiveUp || thrown instanceof Malformed) return { kind: 'dead', reason };
  const delayMs = retryDelaysMs[attempt - 1];
  return delayMs === undefined ? { kind: 'dead', reason } : { kind: 'retry', delayMs, reason };
}
