// Taken once: in a sandbox such as jest's, each look at a global costs more than the arithmetic.
const { floor, imul } = Math;

/** States by number: a hash table over packed bytes, in chunks, so that millions of them fit. */
export class StateStore {
  readonly #chunks: Uint8Array[] = [];
  readonly #perChunk: number;
  #table = new Int32Array(1 << 16).fill(-1);
  #tags = new Int32Array(1 << 16);
  #size = 0;
  #tag = 0;

  constructor(private readonly bytesEach: number) {
    this.#perChunk = Math.max(1, floor((1 << 22) / bytesEach));
  }

  get size(): number {
    return this.#size;
  }

  /** The bytes of a state; only to be read. */
  at(index: number): Uint8Array {
    const chunk = this.#chunks[floor(index / this.#perChunk)]!;
    const from = (index % this.#perChunk) * this.bytesEach;
    return chunk.subarray(from, from + this.bytesEach);
  }

  /** The number of a state; a new one gets the next number. Equal hashes are not taken for equal states. */
  add(bytes: Uint8Array): number {
    if (this.#size * 2 > this.#table.length) this.#grow();
    const found = this.#find(bytes);
    if (this.#table[found] !== -1) return this.#table[found]!;
    const index = this.#size++;
    this.#table[found] = index;
    this.#tags[found] = this.#tag;
    const within = index % this.#perChunk;
    if (within === 0) this.#chunks.push(new Uint8Array(this.#perChunk * this.bytesEach));
    this.#chunks.at(-1)!.set(bytes, within * this.bytesEach);
    return index;
  }

  #find(bytes: Uint8Array): number {
    const mask = this.#table.length - 1;
    let slot = this.#hash(bytes) & mask;
    for (; this.#table[slot] !== -1; slot = (slot + 1) & mask) {
      if (this.#tags[slot] === this.#tag && this.#equals(this.#table[slot]!, bytes)) break;
    }
    return slot;
  }

  /** 64 bits: one half finds the slot, the other one tells most states apart before their bytes are compared. */
  #hash(bytes: Uint8Array): number {
    let low = 0x811c9dc5;
    let high = 0x9747b28c;
    for (let i = 0; i < bytes.length; i++) {
      low = imul(low ^ bytes[i]!, 0x01000193);
      high = imul(high + bytes[i]!, 0x5bd1e995) ^ (high >>> 15);
    }
    this.#tag = high;
    return (low ^ (low >>> 15)) >>> 0;
  }

  #equals(index: number, bytes: Uint8Array): boolean {
    const chunk = this.#chunks[floor(index / this.#perChunk)]!;
    const from = (index % this.#perChunk) * this.bytesEach;
    for (let i = 0; i < bytes.length; i++) if (chunk[from + i] !== bytes[i]) return false;
    return true;
  }

  #grow(): void {
    const table = new Int32Array(this.#table.length * 2).fill(-1);
    const tags = new Int32Array(table.length);
    const mask = table.length - 1;
    for (let index = 0; index < this.#size; index++) {
      let slot = this.#hash(this.at(index)) & mask;
      while (table[slot] !== -1) slot = (slot + 1) & mask;
      table[slot] = index;
      tags[slot] = this.#tag;
    }
    this.#table = table;
    this.#tags = tags;
  }
}

/** Numbers that are appended and read again. */
export class Numbers {
  #values = new Uint32Array(1 << 12);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index]!;
  }
}
