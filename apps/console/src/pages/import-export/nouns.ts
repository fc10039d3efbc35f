import { configurationSections } from '#lib/contracts';

const nouns: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(configurationSections).map(({ kind, noun }) => [kind, noun]),
);

/** What an object of this kind is called. */
export const nounOf = (kind: string): string => nouns[kind] ?? kind;
