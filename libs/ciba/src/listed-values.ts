import type { MetadataDocument } from './provider-metadata.js';

/** The strings of a list; null when the provider does not say, or says nothing that is a list. */
export function listedValues(metadata: MetadataDocument, member: string): string[] | null {
  const value = metadata[member];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null;
}
