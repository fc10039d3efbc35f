/** A peculiarity by its number in docs/providers.md, in words. */
export type Peculiarity = readonly [quirk: string, says: string];
