import type { DeliveryMode, InitiationUnknownPolicy } from '#lib/domain';
import type { Protocol } from './protocol.js';
import type { State } from './state.js';

/** How large a world is, and what may go wrong in it. Every count is "at most". */
export interface Bounds {
  readonly requests: number;
  readonly workers: number;
  /** One: its lease lapses only when it is dead. */
  readonly pollers: 1 | 2;
  readonly attempts: number;
  readonly consumers: number;
  readonly recorders: number;
  readonly canceller: boolean;
  readonly deliveryMode: DeliveryMode;
  readonly onInitiationUnknown: InitiationUnknownPolicy;
  /** The provider may refuse the binding message, and the rule may change. */
  readonly rewords: boolean;
  readonly ruleChanges: boolean;
  /** Time goes from tick 0 to this one; a prompt lives for one tick. */
  readonly lastTick: number;
  /** For how many ticks an approval may be used. */
  readonly consumeWithinTicks: number;
  /** Copies of the event that starts a request. */
  readonly hints: number;
  /** Processes that die. */
  readonly crashes: number;
  /** Answers, commits' replies and calls that are lost. */
  readonly losses: number;
  /** Answers of the provider that are wrong, late, foreign or no answers. */
  readonly lies: number;
  /** Processes that stand still beyond their attempt's time. */
  readonly pauses: number;
  /** Shards that change hands in order. */
  readonly handOvers: number;
  /** Times that a shard gets an owner. */
  readonly epochs: number;
  /** The request is pending to begin with, and its prompt is out. */
  readonly startsPending: boolean;
  /** A poller's clock may be this many ticks ahead of the database's. */
  readonly clockAhead: 0 | 1;
}

/** Whether something happens by itself sooner or later, or has to go wrong first. */
export type Kind = 'step' | 'fault';

/** Adds what a change makes of the state that is being looked at. */
export type Go = (label: string, change: (next: State) => void, kind?: Kind) => void;

/** What the models need beside the state. */
export interface World {
  readonly bounds: Bounds;
  readonly protocol: Protocol;
}

/** An actor: tells everything that it may do next. */
export type Actor = (state: State, world: World, go: Go) => void;

/** How long a tick is; long against every interval and window of the protocol. */
export const tickMs = 1_000_000;
export const tickSeconds = tickMs / 1000;

const dates = Array.from({ length: 16 }, (_, tick) => new Date(tick * tickMs));
export const dateOf = (tick: number): Date => dates[tick]!;
/** Of a byte that is a tick plus one; 0: none. */
export const momentOf = (byte: number): Date | null => (byte === 0 ? null : dates[byte - 1]!);
export const byteOf = (moment: Date): number => Math.floor(moment.getTime() / tickMs) + 1;
