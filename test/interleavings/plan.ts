import type { DeliveryMode } from '#lib/domain';
import { commandNames, entryOf, type CommandName } from './commands.js';
import { states, type State } from './states.js';

/** What a third session keeps locked until a moment of its choice. */
export type Lock =
  /** Nothing. */
  | 'none'
  /** The request's row. */
  | 'request'
  /** The row of the request's shard. */
  | 'shard'
  /** A uniqueness: the idempotency key that is submitted, or the ID token that is shown twice. */
  | 'unique';

/** Two commands, or three, that meet at a request. */
export interface Meeting {
  readonly state: State;
  readonly names: readonly CommandName[];
  readonly mode: DeliveryMode;
  readonly lock: Lock;
}

/** The deadline passes behind the lock, so there has to be one. */
const onlyBehindALock: readonly State[] = ['closing', 'lapsing'];
const fenced: readonly CommandName[] = ['expire', 'fail-fenced', 'take-over'];

/** Every pair of commands, each with itself too, in every state in which both can arrive, behind every lock that fits. */
export function everyPair(): Meeting[] {
  return states.flatMap((state) => {
    const here = commandNames.filter((name) => entryOf(name).from.includes(state));
    const pairs = here.flatMap((first, index) => here.slice(index).map((second) => [first, second] as const));
    return pairs.flatMap((names) => {
      const mode = commonMode(names);
      return mode === null ? [] : locksOf(state, names).map((lock) => ({ state, names, mode, lock }));
    });
  });
}

/** The delivery mode in which all of these commands occur; null: there is none. */
export function commonMode(names: readonly CommandName[]): DeliveryMode | null {
  const modes = new Set(names.flatMap((name) => entryOf(name).mode ?? []));
  return modes.size > 1 ? null : ([...modes][0] ?? 'poll');
}

function locksOf(state: State, names: readonly CommandName[]): Lock[] {
  const locks: Lock[] = onlyBehindALock.includes(state) ? [] : ['none'];
  if (state !== 'absent') locks.push('request');
  const toTheShard = names.filter((name) => fenced.includes(name)).length === 2;
  if (toTheShard && (state === 'pending' || state === 'overdue')) locks.push('shard');
  if (state === 'absent' && names.includes('submit')) locks.push('unique');
  if (names.includes('reuse') && names.includes('approve')) locks.push('unique');
  return locks;
}

/** Meetings as a person reads them. */
export const nameOf = ({ state, names, lock }: Meeting): string =>
  `${state}: ${names.join(' × ')}${lock === 'none' ? '' : ` (${lock} locked)`}`;
