import { commandNames, entryOf } from './commands.js';
import { commonMode, type Meeting } from './plan.js';
import { states } from './states.js';

/** Three commands in a random order, which its seed repeats. */
export interface Triple {
  readonly meeting: Meeting;
  readonly seed: number;
}

/** So many triples; the same ones for the same seed. */
export function randomTriples(count: number, seed: number): Triple[] {
  const random = randomFrom(seed);
  const triples: Triple[] = [];
  while (triples.length < count) {
    const state = pick(states, random);
    const here = commandNames.filter((name) => entryOf(name).from.includes(state));
    const names = [pick(here, random), pick(here, random), pick(here, random)];
    const mode = commonMode(names);
    const lock =
      state === 'closing' || state === 'lapsing' || (state !== 'absent' && random() < 0.5) ? 'request' : 'none';
    if (mode !== null) triples.push({ meeting: { state, names, mode, lock }, seed: Math.floor(random() * 2 ** 31) });
  }
  return triples;
}

const pick = <Item>(items: readonly Item[], random: () => number): Item => items[Math.floor(random() * items.length)]!;

/** Mulberry32: small, and good enough to choose by. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
