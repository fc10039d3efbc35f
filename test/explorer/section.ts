/** A part of a state: named bytes at a place in the state's byte string. */
export interface SectionType<Name extends string> {
  /** How many bytes. */
  readonly size: number;
  readonly names: readonly Name[];
  new (bytes: Uint8Array, at: number): Record<Name, number>;
}

/**
 * Names some bytes of a state. What the models read as members are the bytes themselves, so that a state needs no
 * encoding: it is its own key.
 */
export function section<const Name extends string>(...names: readonly Name[]): SectionType<Name> {
  class Section {
    static readonly size = names.length;
    static readonly names = names;
    constructor(
      readonly bytes: Uint8Array,
      readonly at: number,
    ) {}
  }
  names.forEach((name, i) => {
    Object.defineProperty(Section.prototype, name, {
      get(this: Section) {
        return this.bytes[this.at + i];
      },
      set(this: Section, value: number) {
        this.bytes[this.at + i] = value;
      },
    });
  });
  return Section as unknown as SectionType<Name>;
}

/** Fills a section with zeros: what it named is not there any more. */
export function clear(part: object): void {
  const { bytes, at } = part as unknown as { bytes: Uint8Array; at: number };
  bytes.fill(0, at, at + (part.constructor as unknown as SectionType<string>).size);
}
