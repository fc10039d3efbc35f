/** What a provider says about itself, before anybody has checked it. */
export type Metadata = Readonly<Record<string, unknown>>;

/** The strings of a list; null when the provider does not say, or says nothing that is a list. */
export function listedValues(metadata: Metadata, member: string): string[] | null {
  const value = metadata[member];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null;
}
