import { IndexLists } from './index-lists.js';

export interface TimingWheelOptions {
  /** The monotonic moment at which the wheel starts, in ms. */
  readonly startMs: number;
  /** Resolution: an entry fires at most this long after its moment, and never before it. */
  readonly tickMs?: number;
  /** A power of two; moments further away than `slots` ticks wait for a later round. */
  readonly slots?: number;
}

/**
 * A hashed timing wheel: arms, moves and fires any number of moments in constant time each.
 *
 * It has no clock: the caller says what time it is, and asks when it is worth coming back. Keys are small integers
 * (slots of a table); each has one moment at most.
 */
export class TimingWheel {
  readonly #tickMs: number;
  readonly #slots: number;
  /** One list for each slot of the wheel, and one more for what is about to fire. */
  readonly #lists: IndexLists;
  readonly #firing: number;
  /** One bit for each slot that is not empty: finding the next one looks at 64 words rather than 2,048 lists. */
  readonly #occupied: Uint32Array;
  #dueTick = new Float64Array(64);
  /** All moments up to this tick have fired. */
  #tick: number;
  #armed = 0;

  constructor({ startMs, tickMs = 5, slots = 2048 }: TimingWheelOptions) {
    if (slots < 32 || (slots & (slots - 1)) !== 0) throw new Error('the slots of a timing wheel are a power of two');
    this.#tickMs = tickMs;
    this.#slots = slots;
    this.#lists = new IndexLists(slots + 1);
    this.#firing = slots;
    this.#occupied = new Uint32Array(slots / 32);
    this.#tick = Math.floor(startMs / tickMs);
  }

  /** How many keys have a moment ahead of them. */
  get size(): number {
    return this.#armed;
  }

  /** Sets the moment of a key, in place of an earlier one; a moment that has passed fires at the next tick. */
  arm(key: number, atMs: number): void {
    this.disarm(key);
    const tick = Math.max(Math.ceil(atMs / this.#tickMs), this.#tick + 1);
    this.#rememberDue(key, tick);
    const slot = this.#slotOf(tick);
    this.#lists.append(slot, key);
    this.#mark(slot);
    this.#armed++;
  }

  /** Forgets the moment of a key, also when it is about to fire. */
  disarm(key: number): void {
    const list = this.#lists.listOf(key);
    if (list === null) return;
    this.#lists.remove(key);
    this.#armed--;
    if (list !== this.#firing && this.#lists.isEmpty(list)) this.#unmark(list);
  }

  /** Calls `fire` for each key whose moment has come, with that moment; it may arm and disarm any key, this one too. */
  advance(nowMs: number, fire: (key: number, dueMs: number) => void): void {
    const target = Math.floor(nowMs / this.#tickMs);
    // After a long pause one round visits every slot once: whatever is due by now is found then.
    if (target - this.#tick >= this.#slots) this.#tick = target - this.#slots;
    while (this.#tick < target) {
      this.#tick++;
      this.#collect(this.#slotOf(this.#tick), target);
      this.#drain(fire);
    }
  }

  /**
   * The next moment at which `advance` may find something, in ms; null when nothing is armed.
   *
   * It may be too early (the slot holds a later round), never too late.
   */
  nextMs(): number | null {
    if (this.#armed === 0) return null;
    const from = this.#slotOf(this.#tick + 1);
    const ahead = (this.#nextOccupied(from) - from + this.#slots) % this.#slots;
    return (this.#tick + 1 + ahead) * this.#tickMs;
  }

  #collect(slot: number, upToTick: number): void {
    for (let key = this.#lists.first(slot); key !== null;) {
      const next = this.#lists.after(key);
      if (this.#dueTick[key]! <= upToTick) this.#lists.append(this.#firing, key);
      key = next;
    }
    if (this.#lists.isEmpty(slot)) this.#unmark(slot);
  }

  // From a list rather than in place: a callback may disarm the very key that would come next.
  #drain(fire: (key: number, dueMs: number) => void): void {
    for (let key = this.#lists.first(this.#firing); key !== null; key = this.#lists.first(this.#firing)) {
      this.disarm(key);
      fire(key, this.#dueTick[key]! * this.#tickMs);
    }
  }

  #slotOf(tick: number): number {
    return tick % this.#slots;
  }

  #rememberDue(key: number, tick: number): void {
    if (key >= this.#dueTick.length) {
      const larger = new Float64Array(Math.max(key + 1, this.#dueTick.length * 2));
      larger.set(this.#dueTick);
      this.#dueTick = larger;
    }
    this.#dueTick[key] = tick;
  }

  #mark(slot: number): void {
    this.#occupied[slot >> 5]! |= 1 << (slot & 31);
  }

  #unmark(slot: number): void {
    this.#occupied[slot >> 5]! &= ~(1 << (slot & 31));
  }

  /** The first occupied slot at or after `from`, round the wheel. Something must be armed. */
  #nextOccupied(from: number): number {
    const words = this.#occupied.length;
    const first = this.#occupied[from >> 5]! & (-1 << (from & 31));
    if (first !== 0) return (from & ~31) + lowestBit(first);
    for (let step = 1; step <= words; step++) {
      const index = ((from >> 5) + step) % words;
      const word = this.#occupied[index]!;
      if (word !== 0) return index * 32 + lowestBit(word);
    }
    return from;
  }
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);
