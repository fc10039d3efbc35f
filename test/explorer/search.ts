import { isSettled, cancellers, consumers, recorders } from './callers.js';
import { Status } from './codes.js';
import { crashes, time } from './faults.js';
import { TooSoon } from './glue.js';
import { invariants, type Invariant } from './invariants.js';
import { notifiers } from './notifier.js';
import { pollers } from './poller.js';
import { production, type Protocol } from './protocol.js';
import { person } from './provider.js';
import { shards } from './shards.js';
import { Person } from './codes.js';
import { State } from './state.js';
import { Numbers, StateStore } from './state-store.js';
import type { Actor, Bounds, Kind, World } from './world.js';
import { attemptsLapse, workers } from './worker.js';

const actors: readonly Actor[] = [
  workers,
  attemptsLapse,
  shards,
  pollers,
  person,
  notifiers,
  recorders,
  cancellers,
  consumers,
  time,
  crashes,
];

/** An order of events that breaks an invariant, or leads to where nothing can end any more. */
export interface Violation {
  readonly invariant: string;
  readonly problem: string;
  /** What happened, in order; no shorter order breaks anything. */
  readonly trace: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** The longest of the shortest ways to a state. */
  readonly depth: number;
  readonly violation: Violation | null;
  /** How often what is rare was reached, by name. */
  readonly reached: ReadonlyMap<string, number>;
  readonly isComplete: boolean;
}

export interface ExploreOptions {
  readonly protocol?: Protocol;
  readonly onProgress?: (states: number, transitions: number) => void;
  /** Ends the search early: what lies behind is not looked at, nor whether anything is stuck. */
  readonly mostStates?: number;
  readonly invariants?: readonly Invariant[];
}

/** Goes through every state that a world can reach, breadth first, so that the first trace found is a shortest one. */
export function explore(bounds: Bounds, options: ExploreOptions = {}): Exploration {
  return new Search(bounds, options).run();
}

class Search {
  readonly #world: World;
  readonly #store: StateStore;
  readonly #parents = new Numbers();
  readonly #labelOf = new Numbers();
  readonly #labels: string[] = [];
  readonly #labelNumbers = new Map<string, number>();
  /** From state, to state: steps that come by themselves. */
  readonly #steps = new Numbers();
  readonly #settled: number[] = [];
  readonly #reached = new Map<string, number>();
  readonly #before: State;
  readonly #after: State;
  readonly #invariants: readonly Invariant[];
  #transitions = 0;
  #violation: Violation | null = null;

  constructor(
    private readonly bounds: Bounds,
    private readonly options: ExploreOptions,
  ) {
    this.#world = { bounds, protocol: options.protocol ?? production };
    this.#before = State.empty(bounds);
    this.#after = State.empty(bounds);
    this.#store = new StateStore(this.#before.size);
    this.#invariants = options.invariants ?? invariants;
  }

  run(): Exploration {
    const { onProgress, mostStates = Infinity } = this.options;
    this.#add(initialState(this.bounds).bytes, 0, 'the beginning');
    let index = 0;
    for (; index < this.#store.size && this.#violation === null && this.#store.size < mostStates; index++) {
      this.#expand(index);
      if (index % 50_000 === 0) onProgress?.(this.#store.size, this.#transitions);
    }
    const isComplete = index === this.#store.size && this.#violation === null;
    if (isComplete) this.#findStuck();
    return {
      states: this.#store.size,
      transitions: this.#transitions,
      depth: this.#store.size === 0 ? 0 : this.#trace(this.#store.size - 1).length,
      violation: this.#violation,
      reached: this.#reached,
      isComplete,
    };
  }

  #expand(index: number): void {
    this.#before.bytes.set(this.#store.at(index));
    if (isSettled(this.#before)) this.#settled.push(index);
    this.#note();
    const go = (label: string, change: (next: State) => void, kind: Kind = 'step') => {
      if (this.#violation !== null) return;
      this.#after.bytes.set(this.#before.bytes);
      change(this.#after);
      this.#transitions++;
      const known = this.#store.size;
      const reached = this.#add(this.#after.bytes, index, label);
      if (kind === 'step') {
        this.#steps.push(index);
        this.#steps.push(reached);
      }
      for (const { name, broken } of this.#invariants) {
        const problem = broken(this.#before, this.#after, this.#world);
        if (problem === null) continue;
        const trace = reached < known ? [...this.#trace(index), label] : this.#trace(reached);
        this.#violation = { invariant: name, problem, trace };
        return;
      }
    };
    try {
      for (const actor of actors) actor(this.#before, this.#world, go);
    } catch (error) {
      if (!(error instanceof TooSoon)) throw error;
      const name = 'I11 polls keep their interval';
      this.#violation = { invariant: name, problem: error.message, trace: this.#trace(index) };
    }
  }

  #add(bytes: Uint8Array, parent: number, label: string): number {
    const known = this.#store.size;
    const index = this.#store.add(bytes);
    if (index < known) return index;
    let number = this.#labelNumbers.get(label);
    if (number === undefined) {
      number = this.#labels.push(label) - 1;
      this.#labelNumbers.set(label, number);
    }
    this.#parents.push(parent);
    this.#labelOf.push(number);
    return index;
  }

  #trace(index: number): string[] {
    const labels: string[] = [];
    for (let at = index; at !== 0; at = this.#parents.at(at)) labels.push(this.#labels[this.#labelOf.at(at)]!);
    return labels.reverse();
  }

  /** Backward from the states in which all is settled: from every other one such a state must be in reach. */
  #findStuck(): void {
    const count = this.#store.size;
    const starts = new Uint32Array(count + 1);
    for (let i = 0; i < this.#steps.length; i += 2) starts[this.#steps.at(i + 1) + 1]!++;
    for (let i = 0; i < count; i++) starts[i + 1]! += starts[i]!;
    const sources = new Uint32Array(this.#steps.length / 2);
    const filled = starts.slice();
    for (let i = 0; i < this.#steps.length; i += 2) sources[filled[this.#steps.at(i + 1)]!++] = this.#steps.at(i);
    const ends = new Uint8Array(count);
    const queue = [...this.#settled];
    for (const index of queue) ends[index] = 1;
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (let i = starts[at]!; i < starts[at + 1]!; i++) {
        const source = sources[i]!;
        if (ends[source] === 0) queue.push(source);
        ends[source] = 1;
      }
    }
    const stuck = ends.indexOf(0);
    if (stuck < 0) return;
    const problem = 'from here no decision can be reached any more';
    this.#violation = { invariant: 'I2 every request ends in one decision', problem, trace: this.#trace(stuck) };
  }

  /** What a search that means something has to have seen. */
  #note(): void {
    const { whole, requests, grants } = this.#before;
    const seen = (name: string, is: boolean) => is && this.#reached.set(name, (this.#reached.get(name) ?? 0) + 1);
    for (const { row } of requests) {
      seen('approved', row.status === Status.approved);
      seen('denied', row.status === Status.denied);
      seen('expired', row.status === Status.expired);
      seen('cancelled', row.status === Status.cancelled);
      seen('failed', row.status === Status.failed);
      seen('consumed', row.consumedBy !== 0);
      seen('late evidence', row.lateEvidence !== 0);
      seen('held answer', row.heldToken !== 0);
      seen('decided', row.decisions === 1);
    }
    seen('taken over', whole.epoch > 1);
    seen('taken over unclean', whole.uncleanAt !== 0);
    seen('asked twice', grants.filter(({ person: is }) => is !== Person.none).length > requests.length);
  }
}

function initialState(bounds: Bounds): State {
  const state = State.empty(bounds);
  state.whole.leaseAge = 2;
  state.requests.forEach(({ row, attempts }, r) => {
    row.hints = bounds.hints;
    if (!bounds.startsPending) return;
    Object.assign(row, { status: Status.pending, sentAt: 1, expiresAt: 2, authReqId: r * 3 + 1, inbox: 1, hints: 0 });
    Object.assign(attempts[0]!, { state: 3, sentAt: 1 });
    Object.assign(state.grants[r * 3]!, { person: Person.asked, attempt: 1 });
  });
  return state;
}

/** A violation for people: what is broken, and the shortest way to it, one event a line. */
export const traceOf = ({ invariant, problem, trace }: Violation): string =>
  [`${invariant}: ${problem}`, ...trace.map((label, i) => `${String(i + 1).padStart(4)}. ${label}`)].join('\n');
