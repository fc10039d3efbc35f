import type { Choose } from './stepper.js';

/** What an exhausted tree of choices amounts to. */
export interface Enumeration {
  readonly runs: number;
  /** Whether the runs are all there are: see `enumerate`. */
  readonly complete: boolean;
}

interface Taken {
  readonly choice: number;
  readonly enabled: readonly string[];
}

// Divisible by every product of choices between up to three that a run can make.
const whole = 6n ** 60n;

/** A run that was not what it was meant to be, because a moment passed too early: it is made again. */
export class Slipped extends Error {
  override readonly name = 'Slipped';
}

const maxSlips = 6;

/**
 * Runs every schedule once: at each point where several parties can go on, each of them does in some run.
 *
 * The count is checked, not trusted: where k parties can go on, each branch weighs a kth of the whole. The weights of all
 * runs make up the whole exactly when no branch is missing and none was run twice.
 *
 * `run` is told how often it has slipped before. @throws Error when the same choices have led to another point than before
 */
export async function enumerate(run: (choose: Choose, slips: number) => Promise<void>): Promise<Enumeration> {
  let prefix: readonly Taken[] = [];
  let weight = 0n;
  for (let runs = 1; ; runs++) {
    const taken = await follow(prefix, run);
    weight += whole / taken.reduce((product, { enabled }) => product * BigInt(enabled.length), 1n);
    const next = taken.findLastIndex(({ choice, enabled }) => choice + 1 < enabled.length);
    if (next < 0) return { runs, complete: weight === whole };
    const turn = taken[next]!;
    prefix = [...taken.slice(0, next), { ...turn, choice: turn.choice + 1 }];
  }
}

/** Makes the choices of the prefix, and the first one at every further point. */
async function follow(
  prefix: readonly Taken[],
  run: (choose: Choose, slips: number) => Promise<void>,
): Promise<readonly Taken[]> {
  for (let slips = 0; ; slips++) {
    const taken: Taken[] = [];
    const choose: Choose = (enabled) => {
      const known = prefix[taken.length];
      if (known && known.enabled.join() !== enabled.join()) {
        const before = taken.map((one) => one.enabled[one.choice]).join(' · ');
        throw new Slipped(`after "${before}" [${known.enabled.join()}] became [${enabled.join()}].`);
      }
      const choice = known?.choice ?? 0;
      taken.push({ choice, enabled: [...enabled] });
      return choice;
    };
    try {
      await run(choose, slips);
      return taken;
    } catch (error) {
      if (!(error instanceof Slipped) || slips >= maxSlips) throw error;
    }
  }
}

/** In how many orders two sequences of these lengths can be interleaved. */
export function interleavings(first: number, second: number): number {
  let count = 1;
  for (let step = 1; step <= second; step++) count = (count * (first + step)) / step;
  return Math.round(count);
}
