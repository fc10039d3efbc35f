/**
 * The judgements that production makes inside SQL statements, as small functions. Each takes what the statement sees
 * under its locks; `statements.int-spec.ts` runs the same cases through both.
 */
import type { Status, Transition } from '#lib/domain';

/** What `apply_transitions` sees of a row once it is locked. */
export interface LockedRow {
  readonly status: Status;
  readonly expiresAt: Date | null;
  readonly consumedAt: Date | null;
  readonly consumeBy: Date | null;
  /** When an answer was stored; null: none is. */
  readonly heldAt: Date | null;
  /** The attempt that the transition closes is open. */
  readonly attemptOpen: boolean;
}

/** Who owns a shard. */
export interface LockedShard {
  readonly owner: string | null;
  readonly epoch: number;
}

/** Whether a transition's fence does not hold any more. */
export const isFencedOut = ({ fence }: Pick<Transition, 'fence'>, shard: LockedShard): boolean =>
  fence !== null && !(shard.owner === fence.owner && shard.epoch === fence.epoch);

/** `apply_transitions`: whether a transition counts. `now` is the database's clock, read after the row was locked. */
export function passes(row: LockedRow, transition: Transition, shard: LockedShard, now: Date): boolean {
  if (row.status !== transition.from || isFencedOut(transition, shard)) return false;
  switch (transition.guard) {
    case 'none':
      return true;
    case 'before-deadline':
      return row.expiresAt !== null && now < row.expiresAt;
    case 'after-deadline':
      return row.expiresAt !== null && now >= row.expiresAt;
    case 'held-before-deadline':
      return row.heldAt !== null && row.expiresAt !== null && row.heldAt < row.expiresAt;
    case 'attempt-open':
      return row.attemptOpen;
    case 'consumable':
      return row.consumedAt === null && row.consumeBy !== null && now < row.consumeBy;
  }
}

/** The unique constraints on evidence and on `auth_req_id`: whether a value may be written beside those of others. */
export const isUnused = (value: number, ofOthers: readonly number[]): boolean =>
  value === 0 || !ofOthers.includes(value);

/** What `open_attempts` sees of a request and its attempts. */
export interface KnownAttempts {
  readonly requested: boolean;
  /** The event was handled before. */
  readonly duplicate: boolean;
  readonly open: 'none' | 'in-time' | 'lapsed';
}

/** `open_attempts`: what opening another attempt comes to. */
export function opening({ requested, duplicate, open }: KnownAttempts) {
  if (requested && !duplicate && open === 'none') return 'opened';
  if (duplicate) return 'duplicate';
  if (!requested) return 'not-requested';
  return open === 'lapsed' ? 'lapsed' : 'in-progress';
}

/** `take_shards`: whether a shard may be taken by somebody. */
export const isFree = (owner: string | null, leaseLapsed: boolean, taker: string): boolean =>
  owner === null || (owner !== taker && leaseLapsed);

/** `take_shards`: since when the new owner has to doubt what the one before did. */
export const uncleanAfterTaking = (owner: string | null, before: Date | null, now: Date): Date | null =>
  owner === null ? before : now;

/** `release_shards`: the same for a shard that is given back. */
export const uncleanAfterRelease = (clean: boolean, before: Date | null, now: Date): Date | null =>
  clean ? before : now;

/** `record_decisions`: whether this decision becomes the request's one. */
export const isDue = (row: { readonly status: Status; readonly decided: boolean }, outcome: Status): boolean =>
  !row.decided && row.status === outcome;

/** `hold_answer` and `note_notification`: whether an answer is stored. */
export const mayHold = (row: { readonly status: Status; readonly held: boolean }): boolean =>
  row.status === 'pending' && !row.held;
export const mayNote = (row: { readonly status: Status; readonly pinged: boolean }): boolean =>
  row.status === 'pending' && !row.pinged;
