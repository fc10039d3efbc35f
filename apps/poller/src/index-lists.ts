const none = -1;

/**
 * First-in, first-out lists of small integers over typed arrays; an integer is in one list at most.
 *
 * Entries are slots of the table of pending requests: moving one costs a few array writes and allocates nothing,
 * whatever the number of requests.
 */
export class IndexLists {
  #heads: Int32Array;
  #tails: Int32Array;
  #next: Int32Array;
  #previous: Int32Array;
  #list: Int32Array;

  constructor(lists: number, capacity = 64) {
    this.#heads = new Int32Array(lists).fill(none);
    this.#tails = new Int32Array(lists).fill(none);
    this.#next = new Int32Array(capacity).fill(none);
    this.#previous = new Int32Array(capacity).fill(none);
    this.#list = new Int32Array(capacity).fill(none);
  }

  /** Makes room for one more list and answers its number. */
  addList(): number {
    const list = this.#heads.length;
    this.#heads = grown(this.#heads, list + 1);
    this.#tails = grown(this.#tails, list + 1);
    return list;
  }

  /** Puts an entry at the end of a list, out of the list that it was in. */
  append(list: number, index: number): void {
    this.#makeRoom(index);
    this.remove(index);
    const tail = this.#tails[list]!;
    this.#list[index] = list;
    this.#previous[index] = tail;
    this.#next[index] = none;
    if (tail === none) this.#heads[list] = index;
    else this.#next[tail] = index;
    this.#tails[list] = index;
  }

  /** Takes an entry out of its list; does nothing when it is in none. */
  remove(index: number): void {
    const list = this.listOf(index);
    if (list === null) return;
    const previous = this.#previous[index]!;
    const next = this.#next[index]!;
    if (previous === none) this.#heads[list] = next;
    else this.#next[previous] = next;
    if (next === none) this.#tails[list] = previous;
    else this.#previous[next] = previous;
    this.#list[index] = none;
  }

  /** The list that an entry is in. */
  listOf(index: number): number | null {
    const list = this.#list[index] ?? none;
    return list === none ? null : list;
  }

  /** The oldest entry of a list. */
  first(list: number): number | null {
    const head = this.#heads[list]!;
    return head === none ? null : head;
  }

  /** The entry after this one in its list. */
  after(index: number): number | null {
    const next = this.#next[index]!;
    return next === none ? null : next;
  }

  isEmpty(list: number): boolean {
    return this.#heads[list] === none;
  }

  /** The entries of a list, oldest first; the list must not change meanwhile. */
  *entries(list: number): Generator<number> {
    for (let index = this.first(list); index !== null; index = this.after(index)) yield index;
  }

  #makeRoom(index: number): void {
    const capacity = this.#list.length;
    if (index < capacity) return;
    const wanted = Math.max(index + 1, capacity * 2);
    this.#next = grown(this.#next, wanted);
    this.#previous = grown(this.#previous, wanted);
    this.#list = grown(this.#list, wanted);
  }
}

function grown(array: Int32Array, length: number): Int32Array {
  const larger = new Int32Array(length).fill(none);
  larger.set(array);
  return larger;
}
