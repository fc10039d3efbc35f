import { encodingsOf } from '../chaos/checker/canaries.js';

/** A secret that was found where it must not be. */
export interface FoundCanary {
  readonly name: string;
  readonly encoding: string;
}

/** Looks for secrets in everything that came out of one place, in every spelling that a program may give them. */
export function findCanaries(haystack: string | Buffer, secrets: ReadonlyMap<string, string>): FoundCanary[] {
  const bytes = Buffer.from(haystack);
  return [...secrets].flatMap(([name, secret]) =>
    encodingsOf(secret)
      .filter((spelling) => bytes.includes(spelling.bytes))
      .map(({ encoding }) => ({ name, encoding })),
  );
}
