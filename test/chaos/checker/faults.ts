/** The timeline of faults, and what each of them can explain. */

import type { FaultLine } from './history-lines.js';

/** Kinds that can take an answer, or the right to ask, away from a process that they meet. */
const losing: ReadonlySet<string> = new Set([
  'kill',
  'stop',
  'kill-postgres',
  'drop-commit-reply',
  'latency',
  'bandwidth',
  'slow-close',
  'slicer',
  'reset',
  'black-hole',
  'half-open',
  'one-way',
  'cut',
  'down',
  'stall',
]);
/** Kinds that hold a call up without losing it. */
const delaying: ReadonlySet<string> = new Set([
  'stop',
  'kill-postgres',
  'latency',
  'bandwidth',
  'slicer',
  'slow-close',
  'black-hole',
  'one-way',
  'half-open',
  'provider-slow',
  'stall',
]);

/** How long before an answer a fault may have begun, and not yet shown. */
const beforeMs = 2_000;
/** From the provider's answer to our commit, on a busy machine. */
const momentsMs = 3_000;

/** A kill is written down before it is done. */
const killTakesMs = 500;

/** What a lost answer, or a late call, may be put down to. */
export class Faults {
  readonly #sorted: readonly FaultLine[];

  constructor(readonly all: readonly FaultLine[]) {
    // A reply that was to be dropped and never came by explains nothing.
    this.#sorted = all
      .filter(({ detail }) => (detail as { readonly happened?: boolean } | null | undefined)?.happened !== false)
      .sort((one, other) => one.fromMs - other.fromMs);
  }

  /** When the last fault was healed; 0 without faults. */
  get lastHealedAtMs(): number {
    return this.all.reduce((last, { untilMs }) => Math.max(last, untilMs), 0);
  }

  /** Faults that were there at some time between two moments. */
  between(fromMs: number, untilMs: number): FaultLine[] {
    return this.#sorted.filter((fault) => fault.fromMs <= untilMs && fault.untilMs >= fromMs);
  }

  /**
   * What can have cost a poller an answer that the provider gave then. An answer is with its poller, and recorded, within
   * moments, unless the network or the database holds it up; then it can be lost for as long as a call may take.
   */
  losesPollAnswer(answeredAtMs: number, longestCallMs: number): FaultLine | undefined {
    const fromMs = answeredAtMs - beforeMs;
    const heldUp = this.between(fromMs, answeredAtMs + momentsMs).some(
      ({ kind, target }) => delaying.has(kind) || meets(target, 'poller', ['postgres']),
    );
    return this.between(fromMs, answeredAtMs + (heldUp ? longestCallMs : momentsMs)).find(
      ({ kind, target, fromMs: killedAtMs }) =>
        kind === 'drop-token-reply' ||
        // Whoever was dead already cannot have lost it.
        (losing.has(kind) &&
          meets(target, 'poller', ['postgres', 'provider']) &&
          (kind !== 'kill' || killedAtMs >= answeredAtMs - killTakesMs)),
    );
  }

  /** What can have kept every answer of the provider from a poller between two moments, or changed a request's owner. */
  clouds(fromMs: number, untilMs: number): FaultLine | undefined {
    return this.between(fromMs, untilMs).find(
      ({ kind, target }) =>
        kind === 'drop-token-reply' || (losing.has(kind) && meets(target, 'poller', ['postgres', 'provider'])),
    );
  }

  /** What can have cost a worker the answer to its start call, or the record of it. */
  losesStartAnswer(fromMs: number, untilMs: number): FaultLine | undefined {
    return this.between(fromMs, untilMs).find(
      ({ kind, target }) =>
        kind === 'drop-start-reply' || (losing.has(kind) && meets(target, 'ciba-worker', ['postgres', 'provider'])),
    );
  }

  /** What can have cost a poller its memory of a request, which its successor then does not have. */
  changesOwner(fromMs: number, untilMs: number): FaultLine | undefined {
    return this.between(fromMs, untilMs).find(
      ({ kind, target }) => losing.has(kind) && meets(target, 'poller', ['postgres']),
    );
  }

  /** What can have held a call up on its way to the provider, so that the next one arrived close behind it. */
  delaysPolls(fromMs: number, untilMs: number): FaultLine | undefined {
    return this.between(fromMs, untilMs).find(
      ({ kind, target }) => delaying.has(kind) && meets(target, 'poller', ['postgres', 'provider']),
    );
  }

  /** Wipes of the broker's disk. */
  get wipes(): FaultLine[] {
    return this.#sorted.filter(({ kind }) => kind === 'wipe-broker');
  }
}

/**
 * Whether a fault meets a service: at the service itself, at a server that it needs, or on its way to one. Targets are
 * `poller-1`, `postgres`, or `poller-1 to postgres`.
 */
function meets(target: string, service: string, servers: readonly string[]): boolean {
  // The machine had no time for the provider and the network of the run, which everybody needs.
  if (target === 'machine') return true;
  const [subject = '', object] = target.split(/ to |->/);
  if (object !== undefined) return subject.startsWith(service) && servers.includes(object);
  return subject.startsWith(service) || servers.includes(subject);
}
