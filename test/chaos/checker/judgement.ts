import type { History } from './history.js';

/** Something that must not be, with what it is about: mostly the id of a request. */
export interface Violation {
  readonly about: string;
  readonly what: string;
}

/** What looking at one invariant came to. */
export interface Judgement {
  /** How many facts were held against it. */
  readonly checked: number;
  readonly violations: readonly Violation[];
  /** What a reader should know: exceptions that were granted, and why. */
  readonly notes: readonly string[];
}

/** A sentence that can turn out false, and the program that finds out. */
export interface Invariant {
  /** `I1` to `I27`. */
  readonly id: string;
  /** The sentence, in few words. */
  readonly claim: string;
  /** How much of the sentence a history can show; the rest is proven where `elsewhere` says. */
  readonly elsewhere?: string;
  /** Null where a history shows nothing of it. */
  readonly judge: ((history: History) => Judgement | Promise<Judgement>) | null;
}

/** Collects what is found while a history is read. */
export class Findings implements Judgement {
  checked = 0;
  readonly violations: Violation[] = [];
  readonly notes: string[] = [];

  /** One fact; when it does not hold, `what` is what must not be. */
  expect(holds: boolean, about: string, what: string): void {
    this.checked += 1;
    if (!holds) this.violations.push({ about, what });
  }

  note(text: string): void {
    this.notes.push(text);
  }
}

/** Clocks of processes of one machine are read in ms, and rounded. */
export const clockToleranceMs = 50;
